from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.processes.terminal import Terminal

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe, Runs


async def test_is_the_controlling_terminal_of_the_task(run: Runs) -> None:
    task = run("test -t 0 && test -t 1 && test -t 2 && echo yes >/dev/tty")
    assert await task.output() == b"yes\n"
    assert await task.status() == 0


async def test_has_the_size_asked_for(run: Runs) -> None:
    assert await run("stty size").output() == b"50 200\n"
    assert await run("stty size", Terminal.open(rows=7, columns=9)).output() == b"7 9\n"


async def test_shows_nothing_of_what_is_typed(run: Runs) -> None:
    task = run("read line; echo got $line")
    await task.terminal.write(b"hello\n")
    assert await task.output() == b"got hello\n"


async def test_typing_waits_for_a_task_that_is_slow_to_read(run: Runs, pipe: Pipe) -> None:
    # Only a raw terminal takes more than 4 KiB a line.
    task = run("stty raw; echo raw >pipe; head -c 200000 | wc -c")
    assert await pipe.line() == "raw"
    async with anyio.create_task_group() as group:
        group.start_soon(task.terminal.write, b"x" * 200_000)
        assert (await task.output()).strip() == b"200000"


async def test_typing_ctrl_c_interrupts_the_task(run: Runs, pipe: Pipe) -> None:
    task = run("echo up >pipe; exec sleep 60")
    assert await pipe.line() == "up"
    await task.terminal.write(b"\x03")
    assert await task.status() == -2


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 19_500, 65_535, 65_536, 65_537, 300_000])
async def test_loses_nothing_of_what_is_printed(run: Runs, size: int) -> None:
    task = run(f"head -c {size} /dev/zero; printf END; exit 5")
    output = await task.output()
    assert (len(output), output[size:]) == (size + 3, b"END")
    assert await task.status() == 5


@pytest.mark.parametrize("size", [1, 4090, 4096, 8000])
async def test_loses_nothing_when_read_after_the_exit(run: Runs, size: int) -> None:
    task = run(f"head -c {size} /dev/zero; printf END")
    assert await task.status() == 0
    output = await task.output()
    assert (len(output), output[size:]) == (size + 3, b"END")


async def test_ends_only_when_the_last_process_has_let_go(run: Runs) -> None:
    task = run("(trap '' HUP; sleep 0.1; echo late) & trap '' HUP; echo early; sleep 0.02")
    assert await task.output() == b"early\nlate\n"


async def test_notices_silence_once_and_only_after_output(run: Runs) -> None:
    task = run("sleep 0.1; printf a; sleep 0.2; printf b")
    heard: list[bytes | str] = []
    with anyio.fail_after(20):
        await task.terminal.drain(heard.append, lambda: heard.append("silent"), pause=0.02)
    assert heard[:3] == [b"a", "silent", b"b"]


async def test_a_flood_leaves_turns_to_others(run: Runs) -> None:
    task = run("yes")
    flood = 0

    def count(piece: bytes) -> None:
        nonlocal flood
        assert len(piece) <= 65_536
        flood += len(piece)

    async with anyio.create_task_group() as group:
        group.start_soon(task.terminal.drain, count, lambda: None)
        while flood < 3_000_000:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


async def test_closing_hangs_up(run: Runs) -> None:
    task = run("exec sleep 60")
    task.terminal.close()
    task.terminal.close()
    assert await task.status() == -1


def test_leaves_nothing_open(tmp_path: Path, descriptors: Callable[[], int]) -> None:
    before = descriptors()
    terminal = Terminal.open()
    assert not os.get_inheritable(terminal.master)
    terminal.release_slave()
    terminal.release_slave()
    terminal.close()
    assert descriptors() == before
