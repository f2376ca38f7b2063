from __future__ import annotations

import asyncio

import anyio
import pytest

from taskmux.awake import LAST_LOOK, LATE, STEP, Vigil
from tests.faults.clock import LEAPING, LeapingLoop

pytestmark = pytest.mark.parametrize("anyio_backend", [LEAPING], ids=["leaping"])

HOUR = 3600.0


def suspend(seconds: float) -> None:
    """Do as if the machine, or we, had been asleep."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    loop.now += seconds


async def doze(*after: float) -> None:
    """Be asleep for an hour each time, after so many seconds more."""
    for seconds in after:
        await anyio.sleep(seconds)
        suspend(HOUR)


@pytest.mark.parametrize("seconds", [0, 0.25, 1, 2.5, 60])
async def test_awake_a_wait_takes_as_long_as_it_says(seconds: float) -> None:
    vigil, began = Vigil(), anyio.current_time()
    await vigil.sleep(seconds)
    assert anyio.current_time() - began == pytest.approx(seconds)
    assert not vigil.slept


async def test_what_was_slept_through_is_waited_for_again() -> None:
    vigil, began = Vigil(), anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(doze, 2.5, 1.6)
        await vigil.sleep(5)
    assert anyio.current_time() - began == pytest.approx(2 * HOUR + 5, abs=2 * STEP)
    assert vigil.slept


async def test_who_is_always_late_waits_no_more_than_twice_as_often() -> None:
    late = 0

    async def lag() -> None:
        nonlocal late
        while True:
            await anyio.sleep(STEP / 2)
            late += 1
            suspend(STEP + LATE)

    async with anyio.create_task_group() as group:
        group.start_soon(lag)
        await Vigil().sleep(5)
        group.cancel_scope.cancel()
    assert 5 <= late <= 11


async def test_a_limit_holds() -> None:
    began = anyio.current_time()
    with pytest.raises(TimeoutError, match="no answer within 3 s"):
        await Vigil().hold(3, anyio.sleep_forever)
    assert anyio.current_time() - began == pytest.approx(3 + LAST_LOOK)


async def test_what_comes_in_time_is_returned_or_raised() -> None:
    async def good() -> int:
        await anyio.sleep(2)
        return 7

    async def bad() -> int:
        raise ZeroDivisionError

    vigil = Vigil()
    assert await vigil.hold(3, good) == 7
    assert not vigil.slept
    with pytest.raises(ZeroDivisionError):
        await Vigil().hold(3, bad)


async def test_nobody_is_late_for_what_we_slept_through() -> None:
    async def answer() -> str:
        await anyio.sleep(0.5)
        suspend(HOUR)
        await anyio.sleep(0.9)
        return "well"

    vigil = Vigil()
    assert await vigil.hold(1, answer) == "well"
    assert vigil.slept


async def test_an_answer_just_after_a_sleep_shows_that_we_slept() -> None:
    async def answer() -> str:
        suspend(HOUR)
        return "ill"

    vigil = Vigil()
    assert await vigil.hold(5, answer) == "ill"
    assert vigil.slept


async def test_who_is_cancelled_is_not_told_that_time_ran_out() -> None:
    with anyio.move_on_after(1) as scope:
        await Vigil().hold(5, anyio.sleep_forever)
    assert scope.cancelled_caught
