"""Tells a task that listens on another port than its own from one that is not up yet."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection

from taskmux.contracts import ProbeTarget

PATIENCE = 1.0
"""Seconds a process gets to open its port before anybody looks for it: looking is not cheap."""

Clock = Callable[[], float]

_MISPLACED = re.compile(r"\blistening on (\d+(?:, \d+)*), expected \d+")


class Whereabouts:
    """Where one life of a task listens, asked only once its connections fail.

    Made when the process is; `clock` returns seconds that only grow.
    """

    def __init__(self, target: ProbeTarget, clock: Clock = time.monotonic) -> None:
        self._target = target
        self._clock = clock
        self._born = clock()

    async def explain(self, failure: str) -> str:
        """Return `failure`, or what is behind it: `listening on 5173, expected 23417`."""
        if self._clock() - self._born < PATIENCE:
            return failure
        return misplaced(await self._target.listening(), self._target.port) or failure


def misplaced(ports: Collection[int], expected: int) -> str | None:
    """Return the sentence for a task that listens, but not where it should; else None."""
    if not ports or expected in ports:
        return None
    return f"listening on {', '.join(map(str, sorted(set(ports))))}, expected {expected}"


def places(reason: str) -> list[int]:
    """Return where a task listens instead, if that is what its reason says."""
    found = _MISPLACED.search(reason)
    return [] if found is None else [int(port) for port in found[1].split(", ")]
