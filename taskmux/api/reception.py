"""Takes connections in, so many at a time, whatever becomes of each."""

from __future__ import annotations

import logging
import resource
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio
from anyio import BrokenResourceError, CancelScope, create_task_group
from anyio.abc import Listener, SocketAttribute, SocketStream, TaskGroup

log = logging.getLogger("taskmux.api")

PAUSE = 0.1
"""Seconds to the next try when none can be taken in, most often because files have run out."""


Visit = Callable[[SocketStream], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listening:
    """The sockets of a door, to be handed on."""

    port: int
    """0 of a Unix socket."""

    descriptors: tuple[int, ...]


class Reception:
    """Runs `visit` for each connection, `turn_away` while `most` are inside; closes it after.

    An error in one connection ends that one, and is logged. Leaves the `listeners` open.
    """

    def __init__(
        self,
        listeners: Sequence[Listener[SocketStream]],
        visit: Visit,
        turn_away: Visit,
        most: int,
    ) -> None:
        self._listeners = listeners
        self._visit, self._turn_away = visit, turn_away
        self._free = most
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
        async with create_task_group() as group:
            for listener in self._listeners:
                group.start_soon(self._serve, listener, group)

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
                    await anyio.sleep(PAUSE)
                finally:
                    self._accepting.discard(scope)

    async def _receive(self, stream: SocketStream) -> None:
        self._stuck = False
        async with stream:
            if not self._free:
                await self._guarded(self._turn_away, stream)
                return
            self._free -= 1
            try:
                await self._guarded(self._visit, stream)
            finally:
                self._free += 1

    async def _guarded(self, visit: Visit, stream: SocketStream) -> None:
        try:
            await visit(stream)
        except Exception:  # the request door: one connection is not worth the daemon
            log.exception("a connection failed")


def room(most: int, share: int) -> int:
    """Return how many connections to take in: `most`, or one `share`-th of our descriptors."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files == resource.RLIM_INFINITY else min(most, files // share)
