from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.processes import native
from taskmux.processes.census import Census
from taskmux.processes.scan import census
from taskmux.processes.sweep import end, end_marked, members

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe, Runs

HIDE = """
import os, signal, sys

def announce():
    with open("pipe", "w") as pipe:
        print(os.getpid(), file=pipe)

def stay():
    announce()
    while True:
        signal.pause()

{}
"""


def python(tmp_path: Path, script: str) -> str:
    (tmp_path / "script.py").write_text(HIDE.format(script))
    return f"{sys.executable} -S -E script.py"


SLEEPER = "sh -c 'echo $$ >pipe; exec sleep 60'"

IGNORES_HANGUP = f"trap '' HUP; {SLEEPER} &"
OWN_GROUP = f"set -m; {SLEEPER} & set +m;"
FORGOT_MARKER = f"trap '' HUP; env -i {SLEEPER} &"

OWN_SESSION = "os.setsid(); stay()"
DAEMON = """
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.closerange(0, 3)
os.chdir("/proc/self/cwd")
stay()
"""


def lives(pid: int) -> bool:
    row = native.look(pid)
    return row is not None and not row.zombie


@pytest.mark.parametrize("hideout", [IGNORES_HANGUP, OWN_GROUP, FORGOT_MARKER])
async def test_ends_what_the_shell_left_behind(run: Runs, pipe: Pipe, hideout: str) -> None:
    task = run(f"{hideout} read line; exit 0")
    hidden = int(await pipe.line())
    await task.terminal.write(b"\n")
    assert await task.status() == 0
    assert lives(hidden)
    assert await end(task.trace) == []
    assert not lives(hidden)


@pytest.mark.parametrize("script", [OWN_SESSION, DAEMON])
async def test_ends_what_left_the_session(
    run: Runs, pipe: Pipe, tmp_path: Path, script: str
) -> None:
    task = run(f"{python(tmp_path, script)} & read line")
    hidden = int(await pipe.line())
    task.child.signal(signal.SIGKILL)
    await task.status()
    task.child.reap()
    assert lives(hidden)
    assert await end(task.trace) == []
    assert not lives(hidden)


@pytest.mark.skipif(sys.platform != "linux", reason="badges are Linux's")
async def test_ends_what_left_the_session_dropped_the_marker_and_lost_its_parent(
    run: Runs, pipe: Pipe, tmp_path: Path
) -> None:
    task = run(f"env -i {python(tmp_path, DAEMON)} & read line")
    row = native.look(int(await pipe.line()))
    assert row is not None
    try:
        task.child.signal(signal.SIGKILL)
        await task.status()
        task.child.reap()
        assert await end(task.trace) == []
        assert not lives(row.pid)
    finally:  # where the test fails, nothing else would find it
        native.kill(row)


async def test_ends_the_leader_too(run: Runs) -> None:
    task = run("trap '' INT TERM HUP; while :; do sleep 60; done")
    assert await end(task.trace) == []
    assert await task.status() == -signal.SIGKILL


async def test_a_process_that_has_the_pid_of_another_is_let_alone(run: Runs) -> None:
    task = run("read line; exit 3")
    other = replace(task.trace, run_id="another", started=task.trace.started - 1)
    assert await end(other) == []
    later = replace(task.trace, run_id="another", started=task.trace.started + 1)
    assert await end(later) == []
    await task.terminal.write(b"\n")
    assert await task.status() == 3


async def test_a_run_is_not_ended_with_another(run: Runs) -> None:
    one, other = run("exec sleep 60"), run("read line; exit 4")
    assert await end(one.trace) == []
    assert await one.status() == -signal.SIGKILL
    await other.terminal.write(b"\n")
    assert await other.status() == 4


CHAINS = """
announce()
everybody_keeps = os.open("pipe", os.O_WRONLY)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        while True:
            if os.fork(): os._exit(0)
"""
NOMAD = """
announce()
everybody_keeps = os.open("pipe", os.O_WRONLY)
while True:
    os.setsid() if os.fork() == 0 else os._exit(0)
"""
CROWD = """
os.setsid()
announce()
everybody_keeps = os.open("pipe", os.O_WRONLY)
for _ in range(50):
    if os.fork() == 0:
        os.setsid()
        signal.pause()
"""


@pytest.mark.parametrize("script", [CHAINS, NOMAD, CROWD], ids=["chains", "nomad", "crowd"])
async def test_ends_what_forks_all_the_time(
    run: Runs, pipe: Pipe, tmp_path: Path, script: str
) -> None:
    task = run(f"{python(tmp_path, script)} & read line")
    await pipe.line()
    assert await end(task.trace, limit=20) == []
    with anyio.fail_after(5):
        assert await pipe.line() == ""


async def test_ends_the_runs_of_a_predecessor_and_no_others(run: Runs) -> None:
    one, two, other = run("exec sleep 60"), run("exec sleep 60"), run("read line; exit 5")
    dead = {one.trace.run_id, two.trace.run_id}
    assert await end_marked(dead.__contains__) == []
    assert await one.status() == await two.status() == -signal.SIGKILL
    await other.terminal.write(b"\n")
    assert await other.status() == 5


async def test_tells_what_it_may_not_end(
    run: Runs, as_nobody: Callable[[], AbstractContextManager[int]]
) -> None:
    task = run("read line; exit 6")
    with as_nobody(), anyio.fail_after(30):  # there is no point in trying that long
        assert await end(task.trace, limit=600) == [task.child.pid]
    await task.terminal.write(b"\n")
    assert await task.status() == 6


async def test_ends_at_once_whatever_the_limit(run: Runs) -> None:
    task = run("trap '' INT TERM HUP; while :; do sleep 60; done")
    await end(task.trace, limit=0)
    assert await task.status() == -signal.SIGKILL


async def test_those_who_ask_together_share_a_scan() -> None:
    seen: list[Census] = []

    async def ask() -> None:
        seen.append(await census())

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(ask)
    assert len(seen) == 100
    assert len({id(census) for census in seen}) <= 2


async def test_a_scan_shows_what_was_there_when_it_was_asked_for(run: Runs) -> None:
    async def ask() -> None:
        while True:
            await census()

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        group.start_soon(ask)
        for _ in range(20):
            task = run("exec sleep 60")
            assert [row.pid for row in await members(task.trace)] == [task.child.pid]
            assert await end(task.trace) == []
        group.cancel_scope.cancel()


async def test_a_program_executed_with_another_marker_is_seen_as_that_run_s(
    run: Runs, pipe: Pipe
) -> None:
    task = run(
        "exec 3>pipe; echo up >&3; read line; "
        "TASKMUX_RUN_ID=other exec sh -c 'echo $$ >&3; read line'"
    )
    assert await pipe.line() == "up"
    await census()
    await task.terminal.write(b"\n")
    assert int(await pipe.line()) == task.child.pid
    found = (await census()).marked(lambda marker: marker == "other")
    assert [row.pid for row in found] == [task.child.pid]


AS_ROOT = ["unshare", "--user", "--map-root-user"]
CONTAINED = [*AS_ROOT, "--pid", "--fork", "--kill-child", "--mount-proc"]
IN_A_SESSION_FROM_OUTSIDE = """
import anyio, os, subprocess
from taskmux.processes.sweep import end_marked

made = subprocess.Popen(["sleep", "60"], env={**os.environ, "TASKMUX_RUN_ID": "left"})
print(os.getsid(made.pid), anyio.run(end_marked, "left".__eq__), made.wait())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="pid namespaces are Linux's")
def test_in_a_container_a_session_may_have_no_number() -> None:
    if subprocess.run([*CONTAINED, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no pid namespace may be made here")
    script = [*CONTAINED, sys.executable, "-c", IN_A_SESSION_FROM_OUTSIDE]
    assert subprocess.check_output(script, text=True).split() == ["0", "[]", "-9"]


async def test_leaves_nothing_open(run: Runs, descriptors: Callable[[], int]) -> None:
    task = run("exec sleep 60")
    before = descriptors()
    assert await end(task.trace) == []
    assert descriptors() == before
    assert os.getpid() in (await census()).rows
