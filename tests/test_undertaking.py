from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from taskmux.undertaking import Cut, Undertakings


async def test_the_work_goes_on_when_the_one_who_asked_is_gone() -> None:
    gate, done = anyio.Event(), anyio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    async with anyio.create_task_group() as owner:
        async with anyio.create_task_group() as caller:
            caller.start_soon(Undertakings(owner).see_through, work)
            await anyio.wait_all_tasks_blocked()
            caller.cancel_scope.cancel()
        gate.set()
        with anyio.fail_after(10):
            await done.wait()


async def test_what_the_work_returns_or_raises_reaches_the_one_who_asked() -> None:
    async def good() -> int:
        return 7

    async def bad() -> int:
        raise ZeroDivisionError

    async with anyio.create_task_group() as owner:
        undertakings = Undertakings(owner)
        assert await undertakings.see_through(good) == 7
        with pytest.raises(ZeroDivisionError):
            await undertakings.see_through(bad)
        assert await undertakings.see_through(good) == 7


async def test_it_is_busy_from_the_moment_something_is_asked_for() -> None:
    gate = anyio.Event()
    async with anyio.create_task_group() as owner:
        undertakings = Undertakings(owner)
        async with anyio.create_task_group() as caller:
            for _ in range(2):
                caller.start_soon(undertakings.see_through, gate.wait)
            await anyio.lowlevel.checkpoint()
            assert undertakings.busy
            caller.cancel_scope.cancel()
        assert undertakings.busy
        owner.start_soon(undertakings.settle)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert not undertakings.busy


async def test_settled_means_that_nothing_is_under_way() -> None:
    gate, other = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as owner:
        undertakings = Undertakings(owner)
        owner.start_soon(undertakings.see_through, gate.wait)
        owner.start_soon(undertakings.see_through, other.wait)
        await anyio.wait_all_tasks_blocked()
        gate.set()
        with anyio.move_on_after(0):
            await undertakings.settle()
            pytest.fail("one was not finished")
        other.set()
        await undertakings.settle()
        assert not undertakings.busy


async def test_what_is_cut_says_so() -> None:
    cut = False

    async def ask(undertakings: Undertakings) -> None:
        nonlocal cut
        try:
            await undertakings.see_through(anyio.sleep_forever)
        except Cut:
            cut = True

    async with anyio.create_task_group() as caller, anyio.create_task_group() as owner:
        caller.start_soon(ask, Undertakings(owner))
        await anyio.wait_all_tasks_blocked()
        owner.cancel_scope.cancel()
    assert cut
