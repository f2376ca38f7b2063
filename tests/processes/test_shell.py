from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.contracts import ShellRun
from taskmux.processes.shell import run_shell
from taskmux.processes.spawn import NoFolder

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe

ENVIRON = {"PATH": os.environ["PATH"], "TASKMUX_RUN_ID": "the task's own"}


async def shell(command: str, feed: Callable[[bytes], object] | None = None) -> ShellRun:
    with anyio.fail_after(30):
        return await run_shell(command, cwd=Path.cwd(), environ=ENVIRON, feed=feed)


async def test_tells_how_the_command_ended() -> None:
    assert await shell("echo out; echo err >&2; exit 3") == ShellRun(3, "out\nerr")
    assert await shell("true") == ShellRun(0, "")
    assert await shell("kill -TERM $$") == ShellRun(-15, "")


async def test_runs_in_the_folder_with_the_environment_but_a_marker_of_its_own() -> None:
    seen = await shell("pwd; echo $PATH; echo $TASKMUX_RUN_ID")
    folder, path, marker = seen.tail.split("\n")
    assert (folder, path) == (str(Path.cwd()), os.environ["PATH"])
    assert marker not in ("", "the task's own", (await shell("echo $TASKMUX_RUN_ID")).tail)


async def test_has_no_terminal() -> None:
    assert await shell("test -t 0 || test -t 1 || read x || echo >/dev/tty") != ShellRun(0, "")


async def test_keeps_the_end_of_the_output_and_hands_on_all_of_it() -> None:
    heard: list[bytes] = []
    seen = await shell(
        "head -c 300000 /dev/zero | tr '\\0' x; printf '\\n\\377 END \\n'", heard.append
    )
    assert b"".join(heard) == b"x" * 300_000 + b"\n\xff END \n"
    assert seen.tail.endswith("xxx\n\ufffd END")
    assert len(seen.tail) == 2000 - 2


@pytest.mark.parametrize("size", [1, 4096, 65_536, 65_537])
async def test_loses_nothing_printed_just_before_the_exit(size: int) -> None:
    heard: list[bytes] = []
    await shell(f"head -c {size} /dev/zero", heard.append)
    assert sum(map(len, heard)) == size


UP = "exec 3>pipe; echo up >&3; exec sleep 60"
LEAVE = {
    "one that keeps the output open": f"({UP}) & ",
    "one that closed everything": f"(exec <&- >&- 2>&-; {UP}) & ",
    "one in a session of its own": f"{sys.executable} -S -E leave.py 3>pipe & ",
}


@pytest.fixture(autouse=True)
def script(tmp_path: Path) -> None:
    (tmp_path / "leave.py").write_text("""
import os

os.setsid()
os.write(3, b"up\\n")
os.execvp("sleep", ["sleep", "60"])
""")


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE)
async def test_does_not_wait_for_what_it_leaves_behind_but_ends_it(pipe: Pipe, leave: str) -> None:
    # The shell waits until the other one is up: it reads the line that we write.
    os.mkfifo("go")
    async with anyio.create_task_group() as group:
        found: list[ShellRun] = []

        async def ask() -> None:
            found.append(await shell(f"{leave} read line <go; echo done; exit 5"))

        group.start_soon(ask)
        assert await pipe.line() == "up"
        await anyio.Path("go").write_text("\n")
    assert found == [ShellRun(5, "done")]
    assert await pipe.line() == ""


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE)
async def test_cancelled_it_leaves_nothing(pipe: Pipe, leave: str) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(shell, f"trap '' INT TERM HUP; {leave} wait")
        assert await pipe.line() == "up"
        group.cancel_scope.cancel()
    assert await pipe.line() == ""


async def test_loses_nothing_if_exit_and_output_are_noticed_together(pipe: Pipe) -> None:
    heard: list[bytes] = []
    async with anyio.create_task_group() as group:
        command = "exec 3>pipe; echo up >&3; read line <go; printf last"
        os.mkfifo("go")
        group.start_soon(shell, command, heard.append)
        assert await pipe.line() == "up"
        await anyio.wait_all_tasks_blocked()
        # From here to its end the shell runs while nobody here can look.
        go = os.open("go", os.O_WRONLY)
        os.write(go, b"\n")
        os.close(go)
        os.set_blocking(pipe.fd, True)
        assert os.read(pipe.fd, 1) == b""
    assert heard == [b"last"]


async def test_a_time_limit_around_it_holds(pipe: Pipe) -> None:
    with pytest.raises(TimeoutError), anyio.fail_after(0.05):
        await shell("exec 3>pipe; trap '' TERM; while :; do sleep 60; done")
    os.close(os.open("pipe", os.O_WRONLY | os.O_NONBLOCK))  # else a FIFO never opened has no end
    assert await pipe.line() == ""


async def test_a_flood_can_be_cut_off() -> None:
    heard = 0

    def count(piece: bytes) -> None:
        nonlocal heard
        heard += len(piece)

    with anyio.move_on_after(0.1) as limit:
        await shell("exec yes", count)
    assert limit.cancelled_caught


async def test_a_folder_that_is_none_is_an_error(descriptors: Callable[[], int]) -> None:
    before = descriptors()
    with pytest.raises(NoFolder):
        await run_shell("true", cwd=Path("gone"), environ=ENVIRON)
    await shell("true")
    assert descriptors() == before
