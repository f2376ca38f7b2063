"""Both ends of a WebSocket door: one that is open, and clients that go through it."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from anyio import EndOfStream, to_thread
from anyio.abc import SocketStream
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

from taskmux.api import websocket
from taskmux.api.connection import Limits
from taskmux.api.token import Token
from taskmux.api.websocket import Patience, open_websocket_door
from tests.api.toys import ToyDesk, seen

TOKEN = Token(Path("token"), "the token of this test")
ASK_SHOP = json.dumps({"id": 1, "command": "status", "params": {"session": "shop"}})
SHOP = seen("shop", id=1)
Result = TypeVar("Result")


def our_uid(local: tuple[str, int], peer: tuple[str, int]) -> int | None:
    return os.getuid()


@dataclass
class Door:
    port: int
    desk: ToyDesk

    @property
    def uri(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"


@asynccontextmanager
async def open_door(
    limits: Limits | None = None,
    patience: Patience | None = None,
    peer_uid: websocket.PeerUid = our_uid,
    most: int = websocket.MOST,
) -> AsyncIterator[Door]:
    desk = ToyDesk()
    with anyio.fail_after(30):
        async with open_websocket_door(
            0,
            desk,
            Path("daemon.log"),
            token=TOKEN,
            peer_uid=peer_uid,
            limits=limits,
            patience=patience,
            most=most,
        ) as reception:
            yield Door(reception.listening.port, desk)


async def talk(door: Door, say: Callable[[ClientConnection], Result], **options: Any) -> Result:
    """Run `say` with an independent client, which blocks."""

    def run() -> Result:
        with connect(options.pop("uri", door.uri), proxy=None, **options) as client:
            return say(client)

    return await to_thread.run_sync(run)


def ask_shop(client: ClientConnection) -> Any:
    client.send(ASK_SHOP)
    return json.loads(client.recv())


class Wire:
    """A client that can send any frame, also a wrong one."""

    def __init__(self, stream: SocketStream, door: Door) -> None:
        self.stream = stream
        self.protocol = ClientProtocol(parse_uri(door.uri), max_size=None)
        self._frames: list[Frame] = []

    async def shake_hands(self) -> None:
        self.protocol.send_request(self.protocol.connect())
        await self.stream.send(b"".join(self.protocol.data_to_send()))
        while self.protocol.state.name == "CONNECTING":
            self.protocol.receive_data(await self.stream.receive())
            self.protocol.events_received()

    async def send(self, *frames: Frame, mask: bool = True) -> None:
        await self.stream.send(b"".join(frame.serialize(mask=mask) for frame in frames))

    async def frame(self) -> Frame:
        while not self._frames:
            self.protocol.receive_data(await self.stream.receive())
            self._frames += [e for e in self.protocol.events_received() if isinstance(e, Frame)]
        return self._frames.pop(0)

    async def answer(self) -> Any:
        frame = await self.frame()
        assert frame.opcode is Opcode.TEXT
        return json.loads(bytes(frame.data))

    async def close_code(self) -> int:
        """The code of the close frame that comes next; after it the connection ends."""
        frame = await self.frame()
        assert frame.opcode is Opcode.CLOSE
        with pytest.raises(EndOfStream):
            await self.stream.receive()
        (code,) = struct.unpack("!H", bytes(frame.data)[:2])
        assert isinstance(code, int)
        return code


@asynccontextmanager
async def wire(door: Door) -> AsyncIterator[Wire]:
    async with await anyio.connect_tcp("127.0.0.1", door.port) as stream:
        wire = Wire(stream, door)
        await wire.shake_hands()
        yield wire


def text(message: str | bytes, fin: bool = True) -> Frame:
    return Frame(Opcode.TEXT, message.encode() if isinstance(message, str) else message, fin)


def more(message: str, fin: bool = True) -> Frame:
    return Frame(Opcode.CONT, message.encode(), fin)


async def exchange(door: Door, request: bytes) -> str:
    """Send bytes, return everything that comes back until the door hangs up."""
    said = b""
    async with await anyio.connect_tcp("127.0.0.1", door.port) as stream:
        await stream.send(request)
        try:
            while True:
                said += await stream.receive()
        except EndOfStream:
            return said.decode()


def handshake(door: Door, *headers: str, host: str | None = None) -> bytes:
    lines = [
        "GET / HTTP/1.1",
        f"Host: {host or f'localhost:{door.port}'}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
