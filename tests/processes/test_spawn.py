from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import to_thread

from taskmux.processes.output import pump
from taskmux.processes.spawn import Child, NoFolder, spawn
from taskmux.processes.terminal import Terminal

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe, Runs


@contextmanager
def disposition(number: signal.Signals, action: signal.Handlers) -> Iterator[None]:
    before = signal.signal(number, action)
    try:
        yield
    finally:
        signal.signal(number, before)


async def test_gives_the_environment_and_nothing_else(run: Runs) -> None:
    names = {line.partition(b"=")[0] for line in (await run("env").output()).splitlines()}
    assert {b"PATH", b"GREETING", b"TASKMUX_RUN_ID"} <= names
    assert names <= {b"PATH", b"GREETING", b"TASKMUX_RUN_ID", b"PWD", b"OLDPWD", b"SHLVL", b"_"}


async def test_runs_in_the_folder_and_stays_in_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "sub folder"
    folder.mkdir()
    reader, writer = os.pipe()
    child = spawn("pwd; exec cat", cwd=folder, environ=os.environ, output=writer)
    os.close(writer)
    assert Path.cwd() == tmp_path
    assert await text_of(reader) == f"{folder}\n"
    assert await finished(child) == 0


async def text_of(reader: int) -> str:
    pieces: list[bytes] = []
    os.set_blocking(reader, False)
    with anyio.fail_after(20):
        await pump(reader, pieces.append)
    os.close(reader)
    return b"".join(pieces).decode()


async def finished(child: Child) -> int:
    with anyio.fail_after(20):
        status = await child.exited()
    child.reap()
    return status


@pytest.mark.parametrize(("name", "number"), [("gone", errno.ENOENT), ("file", errno.ENOTDIR)])
def test_a_folder_that_is_none_is_told_from_other_failures(
    tmp_path: Path, name: str, number: int
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoFolder) as caught:
        spawn("true", cwd=tmp_path / name, environ={})
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / name))
    assert Path.cwd() == tmp_path


def test_what_cannot_be_executed_is_an_os_error(tmp_path: Path) -> None:
    for environ in ({"A=B": "c"}, {"A": "\0"}, {"A": "x" * 10_000_000}):
        with pytest.raises(OSError, match=r"environment|null|list too long") as caught:
            spawn("true", cwd=tmp_path, environ=environ)
        assert not isinstance(caught.value, NoFolder)


async def test_survives_that_its_own_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    os.chdir(tmp_path / "own")
    (tmp_path / "own").rmdir()
    assert await finished(spawn("true", cwd=tmp_path, environ={})) == 0
    os.chdir(tmp_path)


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGPIPE", "SIGTERM", "SIGXFSZ", "SIGUSR1"])
async def test_signals_ignored_or_blocked_by_us_act_in_the_task(run: Runs, name: str) -> None:
    number = signal.Signals[name]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        with disposition(number, signal.SIG_IGN):
            task = run(f"kill -{name[3:]} $$")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert await task.status() == -number


async def test_an_ignored_sigchld_costs_no_status(run: Runs) -> None:
    with disposition(signal.SIGCHLD, signal.SIG_IGN):
        assert await run("exit 3").status() == 3


@pytest.mark.parametrize("status", [0, 1, 3, 126, 127, 128, 255])
async def test_tells_the_exit_status(run: Runs, status: int) -> None:
    assert await run(f"exit {status}").status() == status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_tells_the_signal_it_ended_by(run: Runs, number: signal.Signals) -> None:
    assert await run(f"ulimit -c 0; kill -{number} $$").status() == -number


async def test_keeps_the_pid_until_it_is_reaped(run: Runs) -> None:
    child = run("exit 4").child
    assert await child.exited() == 4
    assert await child.exited() == 4
    os.kill(child.pid, 0)
    child.reap()
    child.reap()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
    with pytest.raises(ProcessLookupError):
        await child.exited()
    child.signal(signal.SIGKILL)


async def test_waiting_may_be_given_up_and_taken_up_again(run: Runs) -> None:
    task = run("read line; exit 6")
    with anyio.move_on_after(0.01):
        await task.child.exited()
    await task.terminal.write(b"\n")
    assert await task.status() == 6


async def test_a_signal_reaches_the_whole_group(run: Runs, pipe: Pipe) -> None:
    # Without the trap, they would go with the terminal when the leader ends.
    task = run("exec 3>pipe; trap '' HUP; sleep 60 & sleep 60 & echo up >&3; wait")
    assert await pipe.line() == "up"
    task.child.signal(signal.SIGTERM)
    assert await task.status() == -signal.SIGTERM
    assert await pipe.line() == ""


async def test_sigterm_ends_a_task_that_is_stopped(run: Runs) -> None:
    task = run("kill -STOP $$; exit 7")
    stopped = os.WSTOPPED | os.WNOWAIT
    await to_thread.run_sync(os.waitid, os.P_PID, task.child.pid, stopped)
    task.child.signal(signal.SIGTERM)
    assert await task.status() == -signal.SIGTERM


async def test_reads_nothing_without_a_terminal(tmp_path: Path) -> None:
    assert await finished(spawn("read line", cwd=tmp_path, environ={})) == 1
    assert await finished(spawn("test ! -t 0 && echo lost", cwd=tmp_path, environ={})) == 0


async def test_prints_both_streams_to_the_output(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    child = spawn("echo out; echo err >&2", cwd=tmp_path, environ={}, output=writer)
    os.close(writer)
    assert await text_of(reader) == "out\nerr\n"
    assert await finished(child) == 0


async def test_hands_on_no_open_file(run: Runs, pipe: Pipe) -> None:
    assert await run(f"test -e /dev/fd/{pipe.fd}").status() == 1
    terminal = Terminal.open()
    assert await run(f"test -e /dev/fd/{terminal.master}", terminal).status() == 1


def test_gives_tasks_the_limit_of_open_files_we_began_with(tmp_path: Path) -> None:
    script = """
import os, resource
from pathlib import Path
from taskmux.processes.spawn import remember_limits, spawn

remember_limits()
remember_limits()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
print(soft, flush=True)
child = spawn("ulimit -S -n; ulimit -H -n", cwd=Path("/"), environ={}, output=1)
os.waitpid(child.pid, 0)
"""
    command = ["/bin/sh", "-c", 'ulimit -S -n 100; ulimit -H -n 500; exec "$0" -c "$1"']
    ran = subprocess.run([*command, sys.executable, script], capture_output=True, check=True)
    assert ran.stdout.split() == [b"500", b"100", b"500"]


async def test_leaves_nothing_open(tmp_path: Path, descriptors: Callable[[], int]) -> None:
    before = descriptors()
    await finished(spawn("true", cwd=tmp_path, environ={}))
    with pytest.raises(NoFolder):
        spawn("true", cwd=tmp_path / "gone", environ={})
    assert descriptors() == before
