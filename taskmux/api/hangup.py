"""Notices that the other end of a connection is gone, while nobody reads from it."""

from __future__ import annotations

import select
import socket
import sys
from contextlib import suppress

import anyio


async def until_gone(connection: socket.socket, *, half: bool) -> None:
    """Return once the other end is closed; with `half`, once it is closed for sending.

    A connection that was closed at this end has no other.

    Only Linux can tell without reading; elsewhere, and where it has no descriptor
    left to tell by, this waits for ever.
    """
    if connection.fileno() < 0:
        return
    if sys.platform == "linux":
        with suppress(OSError):
            await _hung_up(connection, half=half)
            return
    await anyio.sleep_forever()


async def _hung_up(connection: socket.socket, *, half: bool) -> None:
    # Asked for no more than that: whatever is still to be read does not wake us.
    with select.epoll(1) as epoll:
        epoll.register(connection.fileno(), select.EPOLLRDHUP if half else 0)
        await anyio.wait_readable(epoll.fileno())
