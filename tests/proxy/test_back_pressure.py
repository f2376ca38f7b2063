"""Who does not read has nothing kept for them, and is not waited for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from taskmux.proxy import caller, deadline, front
from taskmux.proxy.pipe import Pipe
from tests.proxy.stage import GET, HOST, Stage, Talk

PIECE = b"x" * 65_536
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 120000\r\n\r\n" + b"s" * 120_000
LONG = 64_000_000
CHANGE = b"HTTP/1.1 101 Go\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n"


def asked(path: str, *more: bytes) -> bytes:
    fields = b"".join(field + b"\r\n" for field in more)
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path.encode(), HOST, fields)


class Pouring:
    """A task that sends more than anybody takes, and counts what it got rid of."""

    def __init__(self) -> None:
        self.sent = 0
        self.heads = 0
        self.over = anyio.Event()

    async def play(self, talk: Talk) -> None:
        try:
            while True:
                head = await talk.head()
                self.heads += 1
                if head.startswith(b"GET /short "):
                    await talk.send(SHORT)
                    continue
                answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LONG
                await talk.send(CHANGE if b"pgrade" in head else answer)
                while self.sent < LONG:
                    await talk.send(PIECE[: LONG - self.sent])
                    self.sent += len(PIECE)
        finally:
            self.over.set()

    async def settled(self) -> None:
        """Wait until nothing moves."""
        before, now = (-1, -1), (0, 0)
        while before != now:
            await anyio.sleep(0.3)
            before, now = now, (self.sent, self.heads)


@asynccontextmanager
async def small(stage: Stage) -> AsyncIterator[Talk]:
    """Yield a client of which the system keeps as little as it can."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.setblocking(False)
    await asyncio.get_running_loop().sock_connect(found, ("127.0.0.1", stage.port))
    reader, writer = await asyncio.open_connection(sock=found, limit=4096)
    try:
        yield Talk(reader, writer)
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("last", [asked("/"), asked("/", b"Connection: upgrade", b"Upgrade: echo")])
async def test_requests_in_a_row_are_not_answered_ahead_of_who_reads(
    stage: Stage, last: bytes
) -> None:
    task, ahead = Pouring(), 60
    await stage.serve(task.play)
    async with small(stage) as client:
        await client.send(asked("/short") * ahead + last)
        await task.settled()
        assert task.heads < ahead / 2
        for _ in range(ahead):
            assert b"Content-Length: 120000" in await client.head()
            await client.skip(120_000)
        await client.head()
        await task.settled()
        assert task.heads == ahead + 1
        assert task.sent < LONG / 4
        await client.skip(LONG)


async def test_a_tunnel_begins_as_full_as_it_is(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(CHANGE + b"x" * 2_000_000)
        await task.play(talk)

    task = Pouring()
    await stage.serve(play)
    async with small(stage) as client:
        await client.send(asked("/", b"Connection: upgrade", b"Upgrade: echo") + asked("/tunnel"))
        await task.settled()
        assert task.sent < LONG / 4
        await client.head()
        await client.skip(2_000_000)
        await client.head()
        await client.skip(LONG)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "STALL", 0.4)
    monkeypatch.setattr(front, "HEAD", 0.2)  # else nobody looks before that
    monkeypatch.setattr(front, "IDLE", 0.1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "request_of",
    [
        asked("/"), asked("/short") * 60,
        asked("/", b"Connection: upgrade", b"Upgrade: echo"),
    ],
)  # fmt: skip
async def test_who_takes_nothing_is_not_waited_for(stage: Stage, request_of: bytes) -> None:
    task = Pouring()
    await stage.serve(task.play)
    async with small(stage) as client:
        await client.send(request_of)
        await client.head()
        await stage.proxy.empty()
        await task.over.wait()


@pytest.mark.usefixtures("impatient")
async def test_who_takes_little_is_waited_for(stage: Stage) -> None:
    size = 1_000_000

    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    await stage.serve(play)
    async with small(stage) as client:
        await client.send(GET)
        await client.head()
        for _ in range(20):
            await client.skip(size // 20)
            await anyio.sleep(0.1)  # five times as long as is waited for who takes nothing


async def test_who_goes_and_does_not_read_is_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(SHORT)

    await stage.serve(play)
    monkeypatch.setattr(caller.Caller.depart, "__defaults__", (0.2,))
    async with small(stage) as client:
        await client.send(asked("/short", b"Connection: close"))
        await client.head()
        await stage.proxy.empty()


async def test_who_goes_already_is_left_to_it_when_all_have_to(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, depart = anyio.Event(), caller.Caller.depart

    def noted(self: caller.Caller, *patience: float) -> None:
        depart(self, *patience)
        left.set()

    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(SHORT)

    await stage.serve(play)
    monkeypatch.setattr(caller.Caller, "depart", noted)
    async with small(stage) as client:
        await client.send(asked("/short", b"Connection: close"))
        await client.head()
        await left.wait()
        stage.proxy.pause()
        await anyio.sleep(2 * deadline.LULL)
        assert len(await client.rest()) == 120_000


async def test_hints_before_a_change_of_protocol_come_before_it(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CHANGE + b"hello")
        await talk.rest()

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(asked("/", b"Connection: upgrade", b"Upgrade: echo"))
        assert (await client.head()).startswith(b"HTTP/1.1 103 ")
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        assert await client.exactly(5) == b"hello"


class Noted:
    """The other end of a tunnel, and what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.told.append(name)


async def test_a_tunnel_that_is_full_when_it_begins_waits() -> None:
    pipe, peer = Pipe(), Noted()
    pipe.pause_writing()
    pipe.join(peer)
    pipe.resume_writing()
    assert peer.told == ["pause", "resume"]


def test_uptake_is_told_from_what_is_left() -> None:
    uptake = deadline.Uptake()
    uptake.begin(0.0)
    looks = [
        uptake.stalled(left, now, 10.0)
        for left, now in [(100, 1.0), (100, 10.9), (90, 11.0), (90, 20.0), (120, 20.9), (90, 21.0)]
    ]
    assert looks == [False, False, False, False, False, True]


async def test_a_deadline_that_is_brought_forward_is_looked_at_in_time() -> None:
    missed = anyio.Event()
    found = deadline.Deadline(asyncio.get_running_loop(), missed.set)
    found.set(3600.0)
    found.bring_forward(0.01)
    with anyio.fail_after(30):
        await missed.wait()
