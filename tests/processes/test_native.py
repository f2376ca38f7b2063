from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from taskmux.processes import linux, macos, native
from taskmux.processes.model import Holder

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe, Runs

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(params=[pytest.param(linux, marks=LINUX), macos], ids=["linux", "macos"])
def system(request: pytest.FixtureRequest) -> ModuleType:
    """Either way to ask; most of what is meant for macOS works on Linux, too."""
    assert isinstance(request.param, ModuleType)
    return request.param


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def port_of(listener: socket.socket) -> int:
    port = listener.getsockname()[1]
    assert isinstance(port, int)
    return port


def test_sees_this_process(system: ModuleType) -> None:
    assert os.getpid() in system.pids()
    me = system.look(os.getpid())
    assert (me.parent, me.group, me.session) == (os.getppid(), os.getpgrp(), os.getsid(0))
    assert (me.uid, me.zombie) == (os.geteuid(), False)
    assert me.started == system.started(me.pid)
    assert abs(me.cpu - sum(os.times()[:2])) < 5
    assert 1_000_000 < me.memory < 10_000_000_000
    assert system.look(me.pid).started == me.started


async def test_tells_processes_apart_by_their_start(run: Runs, system: ModuleType) -> None:
    pid = run("exec sleep 60").child.pid
    assert system.started(os.getpid()) < system.started(pid) == system.started(pid)


async def test_is_not_fooled_by_a_process_s_name(
    run: Runs, tmp_path: Path, system: ModuleType
) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    (tmp_path / ") Z 1 (x").symlink_to(sleep)
    child = run("exec './) Z 1 (x' 60").child
    seen = system.look(child.pid)
    assert (seen.parent, seen.session, seen.zombie) == (os.getpid(), child.pid, False)


async def test_knows_a_zombie(run: Runs, system: ModuleType) -> None:
    task = run("exit 0")
    assert await task.status() == 0
    seen = system.look(task.child.pid)
    assert (seen.zombie, seen.session) == (True, task.child.pid)
    assert seen.pid in system.pids()


ENDS_ITS_FIRST_THREAD = """
import ctypes, signal, threading

def stay():
    while ") Z " not in open("/proc/self/stat").read():
        pass
    with open("pipe", "w") as pipe:
        print("up", file=pipe)
    signal.pause()

threading.Thread(target=stay).start()
ctypes.CDLL(None).pthread_exit(None)
"""


@LINUX
async def test_a_process_whose_first_thread_ended_is_alive(
    run: Runs, pipe: Pipe, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(ENDS_ITS_FIRST_THREAD)
    task = run(f"exec {sys.executable} -S -E script.py")
    assert await pipe.line() == "up"
    seen = native.look(task.child.pid)
    assert seen is not None
    assert not seen.zombie


async def test_reads_marker_and_command(run: Runs, pipe: Pipe, system: ModuleType) -> None:
    task = run("echo up >pipe; read line")
    assert await pipe.line() == "up"
    assert system.marker_of(task.child.pid) == task.trace.run_id
    assert system.command_of(task.child.pid) == "/bin/sh -c echo up >pipe; read line"


def test_a_command_is_text_whatever_bytes_it_has(system: ModuleType) -> None:
    command = [b"/bin/sh", b"-c", b"echo up; read line", b"caf\xe9 \xc3\xa9"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert system.command_of(process.pid) == "/bin/sh -c echo up; read line caf\ufffd é"


@pytest.mark.parametrize("clean", ["env -i", "env -u TASKMUX_RUN_ID"])
async def test_a_process_that_dropped_its_marker_shows_no_more_than_its_badge(
    run: Runs, pipe: Pipe, system: ModuleType, clean: str
) -> None:
    task = run(f"exec {clean} /bin/sh -c 'echo up >pipe; read line'")
    assert await pipe.line() == "up"
    badge = task.trace.run_id if system is linux else None
    assert (system.marker_of(task.child.pid) or None) == badge


async def test_nobody_is_seen_where_nobody_is(run: Runs, system: ModuleType) -> None:
    task = run("exit 0")
    await task.status()
    task.child.reap()
    pid = task.child.pid
    assert system.look(pid) is system.started(pid) is None
    assert system.marker_of(pid) == ""
    assert system.command_of(pid) == ""
    assert system.listening([pid]) == []


async def test_kills_only_the_very_process(run: Runs, system: ModuleType) -> None:
    task = run("exec sleep 60")
    seen = system.look(task.child.pid)
    assert system.kill(replace(seen, started=seen.started + 1)) is False
    assert system.look(task.child.pid).zombie is False
    assert system.kill(seen) is True
    assert await task.status() == -signal.SIGKILL
    task.child.reap()
    assert system.kill(seen) is False


def test_an_exit_cannot_be_waited_for_where_nobody_is() -> None:
    ended = subprocess.run(["/bin/sh", "-c", "echo $$"], capture_output=True, check=True)
    with pytest.raises(ProcessLookupError):
        native.exit_fd(int(ended.stdout))


def test_names_this_boot() -> None:
    assert len(native.boot_id()) == 36
    assert native.boot_id() == native.boot_id()


def test_macos_is_asked_for_its_boot_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def sysctl(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="BOOT\n")

    monkeypatch.setattr(subprocess, "run", sysctl)
    macos.boot_id.cache_clear()
    try:
        assert [macos.boot_id(), macos.boot_id()] == ["BOOT", "BOOT"]
    finally:
        macos.boot_id.cache_clear()
    assert len(asked) == 1


def test_finds_the_ports_a_process_listens_on(system: ModuleType) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as four,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
        socket.create_connection(four.getsockname()),
    ):
        found = system.listening([os.getpid()])
        assert found == sorted(found)
        assert {port_of(four), port_of(six)} <= set(found)
        assert system.listening([os.getppid()]) == []


def test_finds_who_holds_a_port(listener: socket.socket, system: ModuleType) -> None:
    port = port_of(listener)
    found = Holder(os.getpid(), os.geteuid(), system.command_of(os.getpid()))
    assert system.holder(port) == found
    listener.close()
    assert system.holder(port) is None


@LINUX
async def test_tells_whose_a_port_is_even_if_not_which_process_holds_it(
    run: Runs, pipe: Pipe, as_nobody: Callable[[], AbstractContextManager[int]]
) -> None:
    script = "import socket; s = socket.create_server(('', 0)); print(s.getsockname()[1]); input()"
    run(f'exec {sys.executable} -u -c "{script}" >pipe')
    port = int(await pipe.line())
    with as_nobody():
        assert native.holder(port) == Holder(None, 0, "")


@pytest.mark.parametrize(
    ("server", "client"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("::", "127.0.0.1"),
    ],
)
def test_tells_whose_the_far_end_of_a_connection_is(
    system: ModuleType, server: str, client: str
) -> None:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    dual = server == "::"
    with (
        socket.create_server((server, 0), family=family, dualstack_ipv6=dual) as listener,
        socket.create_connection((client, port_of(listener))) as near,
    ):
        far, peer = listener.accept()
        with far:
            assert system.peer_uid(far.getsockname()[:2], peer[:2]) == os.geteuid()
            assert system.peer_uid(far.getsockname()[:2], (peer[0], 1)) is None
            near.close()
            assert system.peer_uid(far.getsockname()[:2], peer[:2]) is None


@LINUX
def test_tells_another_user_from_us(
    listener: socket.socket, as_nobody: Callable[[], AbstractContextManager[int]]
) -> None:
    with as_nobody() as uid:
        near = socket.create_connection(listener.getsockname())
    far, peer = listener.accept()
    with near, far:
        assert native.peer_uid(far.getsockname(), peer) == uid
        assert native.peer_uid(near.getsockname(), near.getpeername()) == 0


@LINUX
def test_an_end_that_nobody_has_accepted_is_nobody_s(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as near:
        assert native.peer_uid(near.getsockname(), near.getpeername()) is None


@pytest.mark.parametrize("peer", ["192.0.2.1", "2001:db8::1", "not an address"])
def test_knows_nothing_of_ends_that_are_elsewhere(peer: str) -> None:
    assert native.peer_uid(("127.0.0.1", 80), (peer, 80)) is None


def test_the_ephemeral_ports_are_those_the_system_uses(listener: socket.socket) -> None:
    assert port_of(listener) in native.ephemeral_ports()
