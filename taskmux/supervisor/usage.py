"""What tasks cost: their share of a core, and their memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from taskmux.processes import Usage


class Meter:
    """Turns processor time used so far into a share of one core since the last look."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, float]] = {}

    def share(self, usages: Mapping[int, Usage], alive: Iterable[int]) -> dict[int, float]:
        """Return, by the leader's pid, 1.0 for a whole core; 0.0 at the first look.

        Of leaders that are not looked at now, the last look counts on while they are `alive`.
        """
        now = time.monotonic()
        shares = {pid: self._since(pid, usage.cpu, now) for pid, usage in usages.items()}
        kept = {pid: self._last[pid] for pid in alive if pid in self._last}
        self._last = kept | {pid: (now, usage.cpu) for pid, usage in usages.items()}
        return shares

    def _since(self, pid: int, cpu: float, now: float) -> float:
        then, before = self._last.get(pid, (now, cpu))
        return max(0.0, (cpu - before) / (now - then)) if now > then else 0.0
