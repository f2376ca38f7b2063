"""Notices that the other end of a connection is gone, while nobody reads from it."""

from __future__ import annotations

import select
import socket
import sys

import anyio


async def until_gone(connection: socket.socket, *, half: bool) -> None:
    """Return once the other end is closed; with `half`, once it is closed for sending.

    A connection that was closed at this end has no other.

    Only Linux can tell without reading; elsewhere this waits for ever.
    """
    if sys.platform != "linux":
        await anyio.sleep_forever()
        return
    if connection.fileno() < 0:
        return
    # Asked for no more than that: whatever is still to be read does not wake us.
    with select.epoll(1) as epoll:
        epoll.register(connection.fileno(), select.EPOLLRDHUP if half else 0)
        await anyio.wait_readable(epoll.fileno())
