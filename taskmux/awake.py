"""Limits that count only time in which we were awake: nobody is late for what we slept through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

import anyio
from anyio import CancelScope, create_task_group, current_time

from .undertaking import Cut, Undertaking

Outcome = TypeVar("Outcome")

STEP = 1.0
"""At most so much of a wait is lost on a sleep, and has to be waited for again."""

LATE = 0.5
"""Whoever wakes up so much later than agreed has slept: stopped, frozen, or with the machine."""

LAST_LOOK = 0.05
"""What came while we slept is taken in before it is called late."""


class Vigil:
    """One wait, and whether we slept during it."""

    def __init__(self) -> None:
        self._slept = False
        self._due = current_time() + STEP

    @property
    def slept(self) -> bool:
        """Whether we were not awake all the time since this was made, or until the limit."""
        return self._slept or current_time() > self._due + LATE

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds awake."""
        again = False
        while seconds > 0:
            step = min(seconds, STEP)
            self._slept = self.slept
            self._due = current_time() + step
            await anyio.sleep(step)
            # Late twice in a row is load, and must not keep anybody waiting for ever.
            again = not again and current_time() > self._due + LATE
            self._slept = self._slept or again
            seconds -= 0 if again else step

    async def hold(self, limit: float, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return what `work` returns, or raise what it raises; after `limit`, `TimeoutError`."""
        undertaking = Undertaking(work)
        async with create_task_group() as group:
            group.start_soon(self._expire, limit, group.cancel_scope)
            await undertaking.carry_out()
            group.cancel_scope.cancel()
        try:
            return await undertaking.outcome()
        except Cut:
            raise TimeoutError(f"no answer within {limit:g} s") from None

    async def _expire(self, limit: float, scope: CancelScope) -> None:
        await self.sleep(limit)
        await anyio.sleep(LAST_LOOK)
        self._due = inf
        scope.cancel()
