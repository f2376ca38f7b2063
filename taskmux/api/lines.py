"""Messages as lines of a byte stream."""

from __future__ import annotations

import sys
from math import inf

import anyio
from anyio import EndOfStream, fail_after
from anyio.abc import SocketAttribute, SocketStream

from taskmux.errors import BadRequest

from .hangup import until_gone
from .messages import LONGEST

FAREWELL = 1.0
"""Seconds for answers still to come, where we can't tell a hang-up from an end of sending."""


class Lines:
    """A `Channel` that ends each message with a newline.

    A line that is too long is skipped up to its end, and takes no memory. One that
    is begun and not ended within `patience` is the last: `receive` raises `TimeoutError`.
    """

    def __init__(self, stream: SocketStream, longest: int = LONGEST, patience: float = inf) -> None:
        self._stream = stream
        self._patience = patience
        self._longest = longest
        self._buffer = bytearray()
        self._searched = 0
        self._skipping = False
        self._ended = False

    async def receive(self) -> bytes:
        """Return the next line without its newline; the last one need not have one."""
        until = inf
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            if until == inf and (self._buffer or self._skipping):
                until = anyio.current_time() + self._patience
            self._make_room()
            try:
                with fail_after(until - anyio.current_time()):
                    self._buffer += await self._stream.receive()
            except EndOfStream:
                self._ended = True
                return self._rest()
        line = self._take(end)
        return self._checked(line)

    async def send(self, *messages: bytes) -> None:
        """Send each message and its newline."""
        await self._stream.send(b"\n".join((*messages, b"")))

    async def hung_up(self) -> None:
        """Return once the other end is closed for reading too; sending may have ended before."""
        if self._ended and sys.platform != "linux":
            await anyio.sleep(FAREWELL)
        else:
            await until_gone(self._stream.extra(SocketAttribute.raw_socket), half=False)

    def _make_room(self) -> None:
        if len(self._buffer) > self._longest:
            self._skipping = True
        if self._skipping:
            self._buffer.clear()
        self._searched = len(self._buffer)

    def _take(self, end: int) -> bytes:
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _rest(self) -> bytes:
        if not self._buffer and not self._skipping:
            raise EndOfStream
        return self._checked(self._take(len(self._buffer)))

    def _checked(self, line: bytes) -> bytes:
        skipped, self._skipping = self._skipping, False
        if skipped or len(line) > self._longest:
            raise BadRequest(f"a line may have {self._longest} bytes at most", hint=None)
        return line
