"""A desk to answer at the doors, and the Unix door with a client for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream

from taskmux.api.connection import Limits
from taskmux.api.unix import MOST, open_unix_door
from taskmux.errors import UnknownSession
from taskmux.mailbox import Mailbox, Push
from taskmux.wire import Add, Report, Request, SessionReport, Status, Subscribe

MEGABYTE = 1024 * 1024

MALFORMED = [
    b"",
    b" ",
    b"\r",
    b"{",
    b"}",
    b"[]",
    b"null",
    b"1",
    b'"status"',
    b"status",
    b"\x00",
    b"\xff\xfe\x00",
    b"GET / HTTP/1.1\r",
    b'{"command": "status"',
    b'{"command": "status"}}',
    b'{"command": "status"}{"command": "status"}',
    b"{'command': 'status'}",
    b'{"command": ["status"]}',
    b'{"command": {}}',
    b'{"command": "nothing"}',
    b'{"command": "status", "params": 1}',
    b'{"command": "status", "params": {"session": {}}}',
    b'{"command": "wait", "params": {"timeout": NaN}}',
    b'{"command": "\xed\xa0\x80"}',
    b"[" * 200_000,
    b'{"params":' * 100_000,
]


class ToyDesk:
    """Answers `status` by what its session is called, and `add` with the size of its command."""

    def __init__(self) -> None:
        self.release = anyio.Event()
        self.waiting = 0
        self._arrived = anyio.Event()
        self.abandoned = anyio.Event()
        self.mailbox = Mailbox[Push](items=10)
        self.listened = anyio.Event()
        self.left = anyio.Event()

    def asked(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def answer(self, request: Request) -> Report:
        match request:
            case Status(session="ghost"):
                raise UnknownSession("ghost")
            case Status(session="crash"):
                raise RuntimeError("a defect")
            case Status(session="big"):
                return self._seen("big", "x" * 5 * MEGABYTE)
            case Status(session="slow"):
                await self._wait()
                return self._seen("slow")
            case Status(session=str(session)):
                return self._seen(session)
            case Add(command=command):
                return self._seen("add", str(len(command)))
        return Report()

    @asynccontextmanager
    async def subscribe(self, request: Subscribe) -> AsyncIterator[AsyncIterable[Push]]:
        if request.session == "ghost":
            raise UnknownSession("ghost")
        self.listened.set()
        try:
            yield _flood() if request.session == "flood" else self.mailbox
        finally:
            self.left.set()

    async def until_waiting(self, number: int = 1) -> None:
        """Return once so many requests wait for `release`."""
        while self.waiting < number:
            await self._arrived.wait()

    async def _wait(self) -> None:
        self.waiting += 1
        self._arrived.set()
        self._arrived = anyio.Event()
        try:
            await self.release.wait()
        except anyio.get_cancelled_exc_class():
            self.abandoned.set()
            raise

    def _seen(self, session: str, config: str = "") -> SessionReport:
        return SessionReport(session=session, action="seen", config=config)


async def _flood() -> AsyncIterator[Push]:
    while True:
        yield {"push": "log", "text": "more"}


def seen(session: str, **head: object) -> dict[str, object]:
    """What `ToyDesk` answers about a session."""
    said = {"command": "status", "ok": True, "session": session, "action": "seen", "config": ""}
    return head | said


class Client:
    """The other end of a Unix door."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._buffer = b""

    async def say(self, message: object) -> None:
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self.stream.send(line + b"\n")

    async def ask(self, session: str, **head: object) -> None:
        await self.say(head | {"command": "status", "params": {"session": session}})

    async def hear(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            self._buffer += await self.stream.receive(MEGABYTE)
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer


class House:
    """A Unix door that is open, and the desk behind it."""

    def __init__(self, path: Path, desk: ToyDesk) -> None:
        self.path = path
        self.desk = desk

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        async with await anyio.connect_unix(self.path) as stream:
            yield Client(stream)


@asynccontextmanager
async def open_house(
    path: Path, limits: Limits | None = None, most: int = MOST
) -> AsyncIterator[House]:
    desk = ToyDesk()
    log_path = path.with_name("daemon.log")
    with anyio.fail_after(30):
        async with open_unix_door(path, desk, log_path, limits, most=most):
            yield House(path, desk)
