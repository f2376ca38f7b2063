"""Work that is finished even if whoever asked for it is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

Outcome = TypeVar("Outcome")


async def see_through(group: TaskGroup, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Do `work` in `group`, and return what it returns or raise what it raises.

    Cancelling the caller ends the waiting, not the work: that ends with the group.
    """
    undertaking = _Undertaking(work)
    group.start_soon(undertaking.carry_out)
    return await undertaking.outcome()


class Undertakings:
    """The works that are seen through in one group."""

    def __init__(self, group: TaskGroup) -> None:
        self._group = group
        self.under_way = 0
        """How many are not finished."""

    async def see_through(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Do what the function of that name does, in the group."""

        async def counted() -> Outcome:
            try:
                return await work()
            finally:
                self.under_way -= 1

        self.under_way += 1
        return await see_through(self._group, counted)


class _Undertaking(Generic[Outcome]):
    def __init__(self, work: Callable[[], Awaitable[Outcome]]) -> None:
        self._work = work
        self._done = anyio.Event()
        self._returned: list[Outcome] = []
        self._raised: Exception | None = None

    async def carry_out(self) -> None:
        try:
            self._returned.append(await self._work())
        except Exception as error:  # noqa: BLE001 (handed to whoever asked; the group goes on)
            self._raised = error
        finally:
            self._done.set()

    async def outcome(self) -> Outcome:
        await self._done.wait()
        if self._raised is not None:
            raise self._raised
        return self._returned[0]
