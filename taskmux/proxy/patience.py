"""How much a client may ask of us that brings nothing: resets, pings, settings, empty frames.

HTTP/2 lets a client cause work for a few bytes (CVE-2023-44487, CVE-2019-9512 to 9518). None of
that is wrong once; all of it is at a thousand a second.
"""

from __future__ import annotations

MOST = 1000
"""What a client may ask for at once: a browser that leaves a page resets all that is loading."""

RATE = 33.0
"""How much of it comes back in a second."""


class Patience:
    """Loses some with each frame that brings nothing, and gains with time, and with answers."""

    def __init__(self) -> None:
        self._left = float(MOST)
        self._seen: float | None = None

    def spend(self, cost: int, now: float) -> bool:
        """Return whether there is any left after this; `now` is in seconds, on any clock."""
        if self._seen is not None:
            self._left = min(MOST, self._left + (now - self._seen) * RATE)
        self._seen = now
        self._left -= cost
        return self._left >= 0

    def earn(self, gain: int) -> None:
        """Gain some: who takes an answer may say so."""
        self._left = min(MOST, self._left + gain)
