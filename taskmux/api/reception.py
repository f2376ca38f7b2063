"""Takes connections in, so many at a time, whatever becomes of each."""

from __future__ import annotations

import logging
import resource
from collections.abc import Awaitable, Callable

import anyio
from anyio import BrokenResourceError
from anyio.abc import Listener, SocketStream, TaskGroup

log = logging.getLogger("taskmux.api")

PAUSE = 0.1
"""Seconds to the next try when none can be taken in, most often because files have run out."""


Visit = Callable[[SocketStream], Awaitable[None]]


class Reception:
    """Runs `visit` for each connection, `turn_away` while `most` are inside; closes it after.

    An error in one connection ends that one, and is logged.
    """

    def __init__(self, visit: Visit, turn_away: Visit, most: int) -> None:
        self._visit, self._turn_away = visit, turn_away
        self._free = most
        self._stuck = False

    async def serve(self, listener: Listener[SocketStream], group: TaskGroup) -> None:
        """Take in what comes to `listener` until cancelled; the visits run in `group`."""
        while True:
            try:
                await listener.serve(self._receive, group)
            except (OSError, BrokenResourceError) as error:
                if not self._stuck:  # told once, until it is over
                    log.warning("cannot take in a connection: %s", error.__cause__ or error)
                self._stuck = True
                await anyio.sleep(PAUSE)

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
