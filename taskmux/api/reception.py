"""Takes connections in, so many at a time, whatever becomes of each."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
from anyio import BrokenResourceError, CancelScope
from anyio.abc import Listener, SocketStream, TaskGroup

log = logging.getLogger("taskmux.api")

PAUSE = 0.1
"""Seconds to the next try when none can be taken in, most often because files have run out."""


class Guest:
    """A connection as the reception sees it: idle, or being served."""

    def __init__(self) -> None:
        self.scope = CancelScope()
        self.idle_since = anyio.current_time()
        self._served = 0

    @property
    def idle(self) -> bool:
        """Whether nothing that it asked for is under way."""
        return not self._served

    @contextmanager
    def served(self) -> Iterator[None]:
        """Count it as being served while inside."""
        self._served += 1
        try:
            yield
        finally:
            self._served -= 1
            self.idle_since = anyio.current_time()


Visit = Callable[[SocketStream, Guest], Awaitable[None]]
Refusal = Callable[[SocketStream], Awaitable[None]]


class Reception:
    """Runs `visit` for each connection, at most for `most` at a time; closes it after.

    Whoever comes when all places are taken gets that of the guest who has been idle
    longest, as soon as that is `idle` seconds: so long whoever has just come may take
    to ask. Where all are served, or as many as there are places wait for one,
    `turn_away` is run instead. An error in one connection ends that one, and is logged.
    """

    def __init__(self, visit: Visit, turn_away: Refusal, most: int, idle: float) -> None:
        self._visit, self._turn_away = visit, turn_away
        self._most, self._idle = most, idle
        self._guests: set[Guest] = set()
        self._waiting = 0

    async def serve(self, listener: Listener[SocketStream], group: TaskGroup) -> None:
        """Take in what comes to `listener` until cancelled; the visits run in `group`."""
        while True:
            try:
                await listener.serve(self._receive, group)
            except (OSError, BrokenResourceError) as error:
                log.warning("cannot take in a connection: %s", error.__cause__ or error)
                if longest := self._idle_longest():
                    self._show_out(longest)
                await anyio.sleep(PAUSE)

    async def _receive(self, stream: SocketStream) -> None:
        async with stream:
            if not await self._find_place():
                await self._guarded(self._turn_away(stream))
                return
            guest = Guest()
            self._guests.add(guest)
            try:
                with guest.scope:
                    await self._guarded(self._visit(stream, guest))
            finally:
                self._guests.discard(guest)

    async def _find_place(self) -> bool:
        """Return whether there is a place, once somebody has been idle for long enough."""
        if self._waiting >= self._most:
            return False
        self._waiting += 1
        try:
            while len(self._guests) >= self._most:
                longest = self._idle_longest()
                if longest is None:
                    return False
                left = longest.idle_since + self._idle - anyio.current_time()
                if left > 0:
                    await anyio.sleep(left)
                else:
                    self._show_out(longest)
            return True
        finally:
            self._waiting -= 1

    def _idle_longest(self) -> Guest | None:
        idle = (guest for guest in self._guests if guest.idle)
        return min(idle, key=lambda guest: guest.idle_since, default=None)

    def _show_out(self, guest: Guest) -> None:
        self._guests.remove(guest)
        guest.scope.cancel()

    async def _guarded(self, visit: Awaitable[None]) -> None:
        try:
            await visit
        except Exception:  # the request door: one connection is not worth the daemon
            log.exception("a connection failed")
