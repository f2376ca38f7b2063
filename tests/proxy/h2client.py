"""A client that speaks HTTP/2, and does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes, Settings

from tests.proxy.secure import NAME, Secure

GOAWAY = 7

Fields = list[tuple[bytes, bytes]]


def head(path: str = "/", method: str = "GET", host: str = NAME) -> Fields:
    return [
        (b":method", method.encode()),
        (b":scheme", b"https"),
        (b":authority", host.encode()),
        (b":path", path.encode()),
    ]


@dataclass
class Answer:
    """What came on one stream."""

    fields: Fields = field(default_factory=list)
    early: list[Fields] = field(default_factory=list)
    body: bytes | bytearray = field(default_factory=bytearray)
    trailers: Fields = field(default_factory=list)
    ended: bool = False
    reset: int | None = None
    """The code it was reset with."""

    @property
    def status(self) -> int:
        return int(dict(self.fields)[b":status"])


class Browser:
    """Takes what it gets at once, unless `window` says how much it takes."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, window: int | None
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.takes = window is None
        self.answers: dict[int, Answer] = {}
        self.events: list[Event] = []
        self.held = b""
        self.gone: int | None = None
        """The code with which the proxy ended the connection."""

        self.last: int | None = None
        """The newest stream that it said it would answer."""

        config = H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = H2Connection(config)
        if window is not None:
            initial = {SettingCodes.INITIAL_WINDOW_SIZE: window}
            self.h2.local_settings = Settings(client=True, initial_values=initial)
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(100_000_000)

    async def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()

    async def raw(self, data: bytes) -> None:
        self.writer.write(self.h2.data_to_send() + data)
        await self.writer.drain()

    async def ask(
        self,
        path: str = "/",
        *more: tuple[bytes, bytes],
        method: str = "GET",
        host: str = NAME,
        end: bool = True,
    ) -> int:
        """Send a head, and return its stream."""
        return await self.open([*head(path, method, host), *more], end=end)

    async def open(self, fields: Iterable[tuple[bytes, bytes]], *, end: bool = True) -> int:
        number = self.h2.get_next_available_stream_id()
        self.h2.send_headers(number, list(fields), end_stream=end)
        self.answers[number] = Answer()
        await self.flush()
        return number

    async def send(self, number: int, data: bytes, *, end: bool = False) -> None:
        """Send some of a body, as far as there is room, and wait for more."""
        while True:
            room = min(self.h2.local_flow_control_window(number), 16_384)
            piece, data = data[:room], data[room:]
            if piece or (end and not data):
                self.h2.send_data(number, piece, end_stream=end and not data)
                await self.flush()
            if not data:
                return
            if not room:
                await self.read()

    async def read(self) -> None:
        """Take what comes next."""
        data = await self.reader.read(1_000_000)
        if not data:
            raise EOFError
        self.held += data
        for event in self.h2.receive_data(b"".join(self.frames())):
            self.events.append(event)
            self.note(event)
        await self.flush()

    def frames(self) -> Iterator[bytes]:
        """Yield whole frames but GOAWAY, which h2 takes for the end of everything."""
        while len(self.held) >= (end := 9 + int.from_bytes(self.held[:3])):
            frame, self.held = self.held[:end], self.held[end:]
            if frame[3] == GOAWAY:
                self.last, self.gone = int.from_bytes(frame[9:13]), int.from_bytes(frame[13:17])
            else:
                yield frame

    def note(self, event: Event) -> None:
        answer = self.answers.get(getattr(event, "stream_id", 0) or 0, Answer())
        match event:
            case InformationalResponseReceived():
                answer.early.append(list(event.headers))
            case ResponseReceived():
                answer.fields = list(event.headers)
            case DataReceived():
                answer.body += event.data
                self.take(event.flow_controlled_length if self.takes else 0, event.stream_id)
            case TrailersReceived():
                answer.trailers = list(event.headers)
            case StreamEnded():
                answer.ended = True
            case StreamReset():
                answer.reset = int(event.error_code or 0)

    def take(self, size: int, stream: int) -> None:
        """Have the proxy send more."""
        self.h2.acknowledge_received_data(size, stream)

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await self.read()

    async def answer(self, number: int) -> Answer:
        """Return all that comes on a stream."""
        found = self.answers[number]
        await self.until(lambda: found.ended or found.reset is not None)
        return found

    async def farewell(self) -> int | None:
        """Return with which code the proxy ends the connection; None if it said none."""
        try:
            while True:
                await self.read()
        except (EOFError, ConnectionError):
            return self.gone


@asynccontextmanager
async def visiting(
    secure: Secure, name: str = NAME, window: int | None = None
) -> AsyncIterator[Browser]:
    """Yield a client that has said what it takes; `window` is of each stream."""
    reader, writer = await secure.connect(name, "h2")
    try:
        browser = Browser(reader, writer, window)
        await browser.flush()
        yield browser
    finally:
        writer.transport.abort()
