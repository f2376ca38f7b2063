"""Messages as WebSocket text, over what `websockets` knows of the protocol."""

from __future__ import annotations

from collections import deque
from contextlib import suppress

import anyio
from anyio import BrokenResourceError, EndOfStream, fail_after, move_on_after
from anyio.abc import SocketAttribute, SocketStream
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from taskmux.errors import BadRequest

from .connection import GONE
from .hangup import until_gone

PULSE = 20.0
"""Seconds of silence before a client is asked for a sign of life, and then until it is given up."""

CONTROL_LIMIT = 10.0
"""Seconds an answer to a ping may take to leave."""

FAREWELL = 1.0
"""Seconds for the closing handshake."""


class Frames:
    """A `Channel` of WebSocket messages, after the opening handshake.

    Nobody can read any more once the other end stops sending, so `receive` says
    that all is over, and never that there is merely nothing more to come.
    """

    def __init__(
        self, stream: SocketStream, protocol: ServerProtocol, pulse: float = PULSE
    ) -> None:
        self._stream = stream
        self._protocol = protocol
        self._pulse = pulse
        self._frames: deque[Frame] = deque()
        self._message = bytearray()
        self._text = True
        self._writing = anyio.Lock()

    async def receive(self) -> bytes:
        """Return the next message, put together; pings and the like are seen to on the way."""
        while True:
            while self._frames:
                message = self._add(self._frames.popleft())
                if message is not None:
                    return message
            await self._read()

    async def send(self, *messages: bytes) -> None:
        """Send each message as one text frame."""
        try:
            for message in messages:
                self._protocol.send_text(message)
        except InvalidState:
            raise BrokenResourceError from None
        await self._flush()

    async def hung_up(self) -> None:
        """Return once the other end is closed."""
        await until_gone(self._stream.extra(SocketAttribute.raw_socket), half=True)

    async def farewell(self) -> None:
        """Close as the protocol wants it, without waiting long for the other end."""
        with (
            move_on_after(FAREWELL, shield=True),
            suppress(EndOfStream, *GONE),
        ):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(CloseCode.GOING_AWAY)
            await self._flush()
            # Closing a socket with unread bytes would reset it, and our last frame be lost.
            while True:
                await self._stream.receive()

    def _add(self, frame: Frame) -> bytes | None:
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
            self._text = frame.opcode is Opcode.TEXT
            self._message.clear()
        elif frame.opcode is not Opcode.CONT:
            return None
        self._message += frame.data
        if not frame.fin:
            return None
        if not self._text:
            raise BadRequest("send text messages, not binary ones", hint=None)
        return bytes(self._message)

    async def _read(self) -> None:
        if self._protocol.state is not State.OPEN:
            raise BrokenResourceError
        try:
            self._protocol.receive_data(await self._listen())
        except EndOfStream:
            raise BrokenResourceError from None
        self._frames.extend(e for e in self._protocol.events_received() if isinstance(e, Frame))
        with fail_after(CONTROL_LIMIT):
            await self._flush()

    async def _listen(self) -> bytes:
        """Return the next bytes; give up a client that stays silent when asked for a sign."""
        with move_on_after(self._pulse):
            return await self._stream.receive()
        self._protocol.send_ping(b"")
        with fail_after(self._pulse):
            await self._flush()
            return await self._stream.receive()

    async def _flush(self) -> None:
        async with self._writing:
            for data in self._protocol.data_to_send():
                if data == SEND_EOF:
                    await self._stream.send_eof()
                else:
                    await self._stream.send(data)
