"""Takes connections in, so many at a time, whatever becomes of each."""

from __future__ import annotations

import itertools
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from anyio import BrokenResourceError, CancelScope, create_task_group
from anyio.abc import Listener, SocketAttribute, SocketStream, TaskGroup

log = logging.getLogger("taskmux.api")

PAUSE = 0.1
"""Seconds to the next try when none can be taken in, most often because files have run out."""


_turns = itertools.count()


class Guest:
    """A connection as the reception sees it: idle, or being served."""

    def __init__(self) -> None:
        self.scope = CancelScope()
        self._served = 0
        self._rest()

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
            self._rest()

    def _rest(self) -> None:
        self.idle_since = anyio.current_time()
        self.turn = next(_turns)
        """Tells who has been idle longer, where time is too coarse to."""


Visit = Callable[[SocketStream, Guest], Awaitable[None]]
Refusal = Callable[[SocketStream], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listening:
    """The sockets of a door, to be handed on."""

    port: int
    """0 of a Unix socket."""

    descriptors: tuple[int, ...]


class Reception:
    """Runs `visit` for each connection, at most for `most` at a time; closes it after.

    Whoever comes when all places are taken gets that of the guest who has been idle
    longest, as soon as that is `idle` seconds: so long whoever has just come may take
    to ask. Where all are served, or as many as there are places wait for one,
    `turn_away` is run instead. An error in one connection ends that one, and is logged.
    The `listeners` stay open.
    """

    def __init__(
        self,
        listeners: Sequence[Listener[SocketStream]],
        visit: Visit,
        turn_away: Refusal,
        most: int,
        idle: float,
    ) -> None:
        self._listeners = listeners
        self._group: TaskGroup | None = None
        self._visit, self._turn_away = visit, turn_away
        self._most, self._idle = most, idle
        self._guests: set[Guest] = set()
        self._waiting = 0
        self._open = anyio.Event()
        self._accepting: set[CancelScope] = set()
        self._stuck = False

    @property
    def listening(self) -> Listening:
        """The sockets."""
        first, *_ = sockets = [one.extra(SocketAttribute.raw_socket) for one in self._listeners]
        port = 0 if first.family == socket.AF_UNIX else first.getsockname()[1]
        return Listening(port, tuple(one.fileno() for one in sockets))

    async def serve(self) -> None:
        """Take in what comes until cancelled."""
        self.resume()
        async with create_task_group() as self._group:
            for listener in self._listeners:
                self._group.start_soon(self._serve, listener, self._group)

    def move(self, listener: Listener[SocketStream]) -> None:
        """Take in, from now on, who comes by `listener`, too; that is the one to be handed on."""
        assert self._group is not None, "moved before it serves"
        self._listeners = [listener]
        self._group.start_soon(self._serve, listener, self._group)

    def pause(self) -> None:
        """Have whoever comes wait in front of the door."""
        self._open = anyio.Event()
        for scope in self._accepting:
            scope.cancel()

    def resume(self) -> None:
        """Take in who waits, and who comes."""
        self._open.set()

    async def _serve(self, listener: Listener[SocketStream], group: TaskGroup) -> None:
        while True:
            await self._open.wait()
            with CancelScope() as scope:
                self._accepting.add(scope)
                try:
                    await listener.serve(self._receive, group)
                except (OSError, BrokenResourceError) as error:
                    if not self._stuck:  # told once, until it is over
                        log.warning("cannot take in a connection: %s", error.__cause__ or error)
                    self._stuck = True
                    if longest := self._idle_longest():
                        self._show_out(longest)
                    await anyio.sleep(PAUSE)
                finally:
                    self._accepting.discard(scope)

    async def _receive(self, stream: SocketStream) -> None:
        self._stuck = False
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
        return min(idle, key=lambda guest: guest.turn, default=None)

    def _show_out(self, guest: Guest) -> None:
        self._guests.remove(guest)
        guest.scope.cancel()

    async def _guarded(self, visit: Awaitable[None]) -> None:
        try:
            await visit
        except Exception:  # the request door: one connection is not worth the daemon
            log.exception("a connection failed")
