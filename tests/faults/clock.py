"""An event loop with a clock of its own, for what would take minutes."""

from __future__ import annotations

import asyncio
import selectors
from contextlib import suppress
from selectors import SelectorKey

import psutil
from anyio import to_thread

QUIET, LIVELY = 0.005, 10.0
"""Real seconds in which nothing happens before the clock leaps. While a process of ours lives,
which may be about to exit, or a thread is at work, however busy the machine is, very many more."""


class LeapingLoop(asyncio.SelectorEventLoop):
    """Its clock stands still while anything happens, and leaps to the next timer when nothing does.

    So what it shows depends on timers alone, never on how busy the machine is.
    Processes, pipes and threads are real.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.over_the_living = False
        """Whether it leaps although a process lives, as that will go on doing so."""

        super().__init__(_Leaping(self))

    def time(self) -> float:
        """Return the clock's seconds."""
        return self.now


class _Leaping(selectors.DefaultSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop
        self._strangers = children()
        """What an earlier test has left behind."""

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        if not timeout or timeout < 0:
            return super().select(timeout)
        lively = to_thread.current_default_thread_limiter().borrowed_tokens > 0
        lively |= not self._loop.over_the_living and bool(children() - self._strangers)
        found = super().select(min(timeout, LIVELY if lively else QUIET))
        if not found:
            self._loop.now += timeout
        return found


def children() -> set[psutil.Process]:
    """Return our children that have not ended."""
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                found.add(child)
    return found


LEAPING = ("asyncio", {"loop_factory": LeapingLoop})
"""The backend of tests by that clock, in place of the fixture `anyio_backend`."""
