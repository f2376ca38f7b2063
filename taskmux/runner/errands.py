"""What a runner has under way beside the process: waits, timers and hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from taskmux.lifecycle import Event, Hook, Timer

Work = Callable[[], Awaitable[Event]]

DEPENDENCIES = "dependencies"
"""The kind of a wait for them; the others are timers and hooks."""

HELD = (DEPENDENCIES, Timer.RETRY, Hook.BEFORE_START, Hook.BEFORE_STOP, Hook.AFTER_STOP)
"""The kinds that `Abandon` gives up: what comes before a process, and after it."""

CARRIED = {DEPENDENCIES, Timer.RETRY, Timer.GRACE, Timer.SETTLE}
"""The kinds that whoever takes over can begin anew."""


class Errands:
    """Works under way, by kind; `report` gets what each comes back with.

    Of a kind only the newest counts: without this, a task stopped and started
    a thousand times would keep a thousand timers. It begins when nothing is
    left of the one before. What was given up reports nothing, even if it was
    just about to.
    """

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._newest: dict[str, _Errand] = {}
        self._leaving: list[_Errand] = []

    def begin(self, group: TaskGroup, kind: str, work: Work) -> None:
        """Have `work` done in `group`, in place of any of its kind still under way."""
        self.give_up(kind)
        errand = self._newest[kind] = _Errand(kind, work)
        older = [other for other in self._leaving if other.kind == kind]
        group.start_soon(self._run, errand, older)

    def give_up(self, *kinds: str) -> None:
        """Cancel what is under way of these kinds."""
        for kind in kinds:
            if (errand := self._newest.pop(kind, None)) is not None:
                self._leaving.append(errand)
                errand.scope.cancel()

    @property
    def under_way(self) -> set[str]:
        """The kinds of which something is left, be it given up."""
        return {*self._newest, *(errand.kind for errand in self._leaving)}

    async def settle(self) -> None:
        """Return when nothing is left of what was given up until now."""
        await _all_gone(tuple(self._leaving))

    async def over(self, *, but: Collection[str]) -> None:
        """Return when nothing is left of what is under way now, `but` some kinds."""
        errands = (*self._newest.values(), *self._leaving)
        await _all_gone([errand for errand in errands if errand.kind not in but])

    async def _run(self, errand: _Errand, older: Sequence[_Errand]) -> None:
        try:
            with errand.scope:
                await _all_gone(older)
                await checkpoint_if_cancelled()
                event = await errand.work()
                # Cancelled in the moment it comes back, it is not told so.
                if self._newest.get(errand.kind) is errand:
                    del self._newest[errand.kind]
                    self._report(event)
        finally:
            errand.gone.set()
            if errand in self._leaving:
                self._leaving.remove(errand)


class _Errand:
    def __init__(self, kind: str, work: Work) -> None:
        self.kind = kind
        self.work = work
        self.scope = CancelScope()
        self.gone = anyio.Event()


async def _all_gone(errands: Sequence[_Errand]) -> None:
    for errand in errands:
        await errand.gone.wait()
