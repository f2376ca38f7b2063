"""A proxy between a client and a server that do as they are told, byte by byte."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio

from taskmux.proxy.directory import Absence, Target
from taskmux.proxy.server import Proxy, bind, open_proxy

HOST = b"Host: api.shop.localhost\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Play = Callable[["Talk"], Awaitable[None]]


class Talk:
    """One end of a connection, read up to what is expected."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.got = b""
        """What `rest` has read."""

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, end: bytes) -> bytes:
        """Return what comes up to and with `end`."""
        return await self.reader.readuntil(end)

    async def exactly(self, count: int) -> bytes:
        return await self.reader.readexactly(count)

    async def skip(self, count: int) -> None:
        """Read some bytes, and forget them."""
        while count > 0:
            count -= len(await self.reader.read(min(count, 1_000_000)))

    async def head(self) -> bytes:
        return await self.until(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Return all that comes until the other end closes."""
        while piece := await self.reader.read(65_536):
            self.got += piece
        return self.got

    def end(self) -> None:
        """Send no more."""
        self.writer.write_eof()

    def reset(self) -> None:
        """Be gone without a word."""
        found = self.writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()


@dataclass
class Stage:
    """Plays `play` for each connection that the proxy makes to the task."""

    proxy: Proxy
    port: int
    at: int = 0
    """Where the task listens."""

    met: int = 0
    """How many connections there were to the task."""

    say_absent: Callable[[Target, str], Absence] = field(
        default=lambda target, why: Absence(503, "task_down", f"{target.name}: {why}", retry=True)
    )

    servers: list[asyncio.Server] = field(default_factory=list)

    def find(self, host: str) -> Target | Absence:
        if host.endswith("shop.localhost"):
            return Target(self.at, "shop", "api")
        return Absence(404, "unknown_host", f"no task has the name {host}")

    def absent(self, target: Target, why: str) -> Absence:
        return self.say_absent(target, why)

    async def serve(self, play: Play, address: str = "127.0.0.1") -> None:
        """Be the task from now on."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.met += 1
            with suppress(EOFError, ConnectionError):
                await play(Talk(reader, writer))
            writer.close()

        server = await asyncio.start_server(handle, address, 0)
        self.at = server.sockets[0].getsockname()[1]
        self.servers.append(server)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Talk]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Talk(reader, writer)
        finally:
            writer.close()


class Later:
    """Asks the stage, which is made after the proxy."""

    stage: Stage

    def find(self, host: str) -> Target | Absence:
        return self.stage.find(host)

    def absent(self, target: Target, why: str) -> Absence:
        return self.stage.absent(target, why)


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    directory = Later()
    [listener] = bind(["127.0.0.1"], 0)
    with listener, anyio.fail_after(30):
        port = listener.getsockname()[1]
        async with open_proxy(directory, "http", port) as proxy:
            directory.stage = stage = Stage(proxy, port)
            await proxy.listen(listener, None)
            try:
                yield stage
            finally:
                for server in stage.servers:
                    server.close()


async def answers(talk: Talk) -> None:
    """Answer every request that has no body."""
    while True:
        await talk.head()
        await talk.send(OK)


class Held:
    """A task that answers a request when it may `go_on`."""

    def __init__(self) -> None:
        self.asked, self.go_on = anyio.Event(), anyio.Event()

    async def play(self, talk: Talk) -> None:
        await talk.head()
        self.asked.set()
        await self.go_on.wait()
        await talk.send(OK)
