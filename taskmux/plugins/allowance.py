"""How much a plugin may say: a flood of its events must cost nobody anything. Pure."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """A bucket that holds `burst` and is filled with `rate` a second."""

    def __init__(self, clock: Callable[[], float], rate: float = 5.0, burst: int = 50) -> None:
        self._clock = clock
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), clock()
        self.refused = 0
        """How many were not let through since one last was."""

    def take(self) -> int | None:
        """Return how many were refused before this one; None if it is refused as well."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            self.refused += 1
            return None
        self._left -= 1
        before, self.refused = self.refused, 0
        return before
