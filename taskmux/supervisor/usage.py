"""What tasks cost: their share of a core, and their memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from taskmux.processes import Usage

SHORTEST = 0.5
"""Seconds over which a share is measured at least: the kernel counts in hundredths of a second."""


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    cpu: float
    share: float = 0.0


class Meter:
    """Turns processor time used so far into a share of one core since an earlier look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[int, _Look] = {}

    def share(self, usages: Mapping[int, Usage], alive: Iterable[int]) -> dict[int, float]:
        """Return, by the leader's pid, 1.0 for a whole core; 0.0 at the first look.

        Of leaders that are not looked at now, the last look counts on while they are `alive`.
        """
        now = self._clock()
        kept = {pid: self._last[pid] for pid in alive if pid in self._last}
        looks = {pid: self._look(pid, usage.cpu, now) for pid, usage in usages.items()}
        self._last = kept | looks
        return {pid: look.share for pid, look in looks.items()}

    def _look(self, pid: int, cpu: float, now: float) -> _Look:
        last = self._last.get(pid) or _Look(now, cpu)
        if now - last.at < SHORTEST:
            return last
        return _Look(now, cpu, max(0.0, (cpu - last.cpu) / (now - last.at)))
