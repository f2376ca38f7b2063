"""A server that costs as little as one in Python can: `python -m bench.upstream PORT`.

It answers `/` with a few bytes, and `/N` with N of them. It reads no more of a request than that.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop

WORDS = b"Hello, world!"
SMALL = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (
    len(WORDS),
    WORDS,
)
PIECE = bytes(262_144)
_ASKED = re.compile(rb"GET /([0-9]*) ")


class Upstream(asyncio.Protocol):
    """One connection, which asks for one thing at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = b""
        self._left = 0
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        found = _ASKED.match(self._received)
        self._received = b""
        if found is None or not found[1]:
            self._transport.write(SMALL)
            return
        self._left = int(found[1])
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self._left)
        self._pour()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._pour()

    def _pour(self) -> None:
        while self._left and not self._full:
            piece = PIECE[: self._left]
            self._left -= len(piece)
            self._transport.write(piece)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
