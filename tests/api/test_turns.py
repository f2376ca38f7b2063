from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import anyio
from anyio.lowlevel import checkpoint

from taskmux.api.commands.turns import Turns


async def many(count: int, begin: anyio.Event) -> AsyncIterator[int]:
    if not begin.is_set():
        await begin.wait()
    for number in range(count):
        yield number


async def test_others_have_their_turn_while_hundreds_stream() -> None:
    turns, got, begin = Turns(together=2), list[int](), anyio.Event()
    most = 0

    async def stream() -> None:
        async with aclosing(turns.pace(many(3, begin))) as paced:
            async for number in paced:
                got.append(number)

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(stream)
        await anyio.wait_all_tasks_blocked()
        begin.set()
        while len(got) < 300:
            before = len(got)
            await checkpoint()
            most = max(most, len(got) - before)
    assert sorted(got) == sorted([*range(3)] * 100)
    assert most <= 4


async def test_a_few_do_not_wait() -> None:
    turns, got, begin = Turns(together=2), list[int](), anyio.Event()
    begin.set()

    async def tick() -> None:
        got.append(-1)

    async with anyio.create_task_group() as group, aclosing(turns.pace(many(3, begin))) as paced:
        group.start_soon(tick)
        async for number in paced:
            got.append(number)
    assert got == [0, 1, 2, -1]
