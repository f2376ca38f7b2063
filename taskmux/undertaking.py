"""Work that is finished even if whoever asked for it is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

Outcome = TypeVar("Outcome")


class Cut(Exception):
    """The work was cancelled before it came to an end."""


class Undertaking(Generic[Outcome]):
    """Work, and what came of it, which may be heard elsewhere than it is done."""

    def __init__(self, work: Callable[[], Awaitable[Outcome]]) -> None:
        self._work = work
        self._done = anyio.Event()
        self._returned: list[Outcome] = []
        self._raised: Exception | SystemExit | None = None

    async def carry_out(self) -> None:
        """Do it, once. Raises nothing but cancellation."""
        try:
            self._returned.append(await self._work())
        except (Exception, SystemExit) as error:  # noqa: BLE001 (who asked waits elsewhere: `outcome` raises it there)
            self._raised = error
        finally:
            self._done.set()

    async def outcome(self) -> Outcome:
        """Wait until it is done, and return what it returned or raise what it raised, or `Cut`."""
        await self.over()
        if self._raised is not None:
            raise self._raised
        if not self._returned:
            raise Cut
        return self._returned[0]

    async def over(self) -> None:
        """Return once it is done, or was cancelled."""
        await self._done.wait()


class Undertakings:
    """The works that are seen through in one group."""

    def __init__(self, group: TaskGroup) -> None:
        self._group = group
        self._under_way: set[Undertaking[Any]] = set()

    @property
    def busy(self) -> bool:
        """Whether some are not finished."""
        return bool(self._under_way)

    async def see_through(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Do `work` in the group, and return what it returns or raise what it raises.

        Cancelling the caller ends the waiting, not the work: that ends with the group, as `Cut`.
        """
        undertaking = Undertaking(work)
        self._under_way.add(undertaking)
        self._group.start_soon(self._carry_out, undertaking)
        return await undertaking.outcome()

    async def settle(self) -> None:
        """Return when those are finished that are under way now."""
        for undertaking in tuple(self._under_way):
            await undertaking.over()

    async def _carry_out(self, undertaking: Undertaking[Any]) -> None:
        try:
            await undertaking.carry_out()
        finally:
            self._under_way.discard(undertaking)
