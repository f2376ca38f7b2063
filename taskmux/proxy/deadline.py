"""Moments by which something has to happen, put off often and cheaply."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from sys import maxsize

IDLE = 75.0
"""Seconds for which a connection waits for the next request."""

LULL = 0.1
"""Seconds for which a connection that is to be closed must have had nothing to do."""

LINGER = 1.0
"""Seconds in which a client may still send what nobody will read, to be able to read the answer."""

FLUSH = 30.0
"""Seconds for what is written to be read, when the connection closes."""

STALL = 300.0
"""Seconds after which who takes nothing of an answer is not waited for any more."""


class Deadline:
    """Calls `missed` when it has passed, once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, missed: Callable[[], None]) -> None:
        self._loop = loop
        self._missed = missed
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float | None) -> None:
        """Move it to so many seconds from now; None for none.

        Looked at late if there was an earlier one: to arm a timer for each request would cost
        more than all else here.
        """
        self._at = None if seconds is None else self._loop.time() + seconds
        if self._timer is None and self._at is not None:
            self._timer = self._loop.call_at(self._at, self._tick)

    def bring_forward(self, seconds: float) -> None:
        """Move it as `set` does, to a moment that is looked at in time."""
        self.cancel()
        self.set(seconds)

    def cancel(self) -> None:
        """Have none, and no timer."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._tick)
        else:
            self._at = None
            self._missed()


class Uptake:
    """Tells whether who is to read what was written takes any of it."""

    def __init__(self) -> None:
        self._left = maxsize
        self._since = 0.0

    def begin(self, now: float, left: int = maxsize) -> None:
        """Look from now on; the time may be any clock's, in seconds."""
        self._left, self._since = left, now

    def stalled(self, left: int, now: float, patience: float) -> bool:
        """Return whether what is `left` has not become less for so many seconds."""
        if left < self._left:
            self._left, self._since = left, now
            return False
        return now - self._since >= patience
