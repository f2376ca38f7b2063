"""Many who connect at a time, and those who will not get on with it."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from pathlib import Path

import anyio
import pytest

from taskmux.proxy import doorway, front
from taskmux.proxy.directory import Absence, Target
from taskmux.proxy.doorway import Guests, Places
from taskmux.proxy.server import bind, open_proxy
from tests.proxy.secure import Secure
from tests.proxy.stage import GET, HOST, OK, Held, Stage, Talk, answers


async def answered(client: Talk) -> bool:
    """Ask; return whether there was an answer."""
    await client.send(GET)
    try:
        head = await client.head()
    except (EOFError, ConnectionError):
        return False
    await client.exactly(2)
    return head.startswith(b"HTTP/1.1 200 ")


@contextmanager
def room_for(stage: Stage, most: int, each: int = 256) -> Iterator[None]:
    """Let so few in at a time."""
    before = stage.proxy.places.__dict__.copy()
    stage.proxy.places.__dict__.update(_most=most, _each=each)
    yield
    stage.proxy.places.__dict__.update(before)


async def test_who_is_idle_longest_makes_room(stage: Stage) -> None:
    await stage.serve(answers)
    with room_for(stage, 3):
        async with AsyncExitStack() as stack:
            clients = []
            for _ in range(4):
                clients.append(await stack.enter_async_context(stage.client()))
                assert await answered(clients[-1])
            assert await clients[0].rest() == b""
            assert await answered(clients[1])
            assert await answered(await stack.enter_async_context(stage.client()))
            assert await clients[2].rest() == b""
            assert len(stage.proxy.guests) == 3


async def test_where_nobody_is_idle_nobody_is_let_in(stage: Stage) -> None:
    held = Held()
    await stage.serve(held.play)
    with room_for(stage, 1):
        async with stage.client() as busy:
            await busy.send(GET)
            await held.asked.wait()
            async with stage.client() as late:
                assert await late.rest() == b""
            held.go_on.set()
            assert (await busy.head()).startswith(b"HTTP/1.1 200 ")


class Somebody:
    """A guest that only sits there."""

    def __init__(self, address: str, idle: float | None = None) -> None:
        self.address = address
        self.idle = idle
        self.aborted = False

    def leave(self) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None:
        self.aborted = True


@pytest.mark.parametrize(
    ("address", "sitting", "found"),
    [
        ("192.0.2.1", ["192.0.2.1"] * 2, False),
        ("192.0.2.1", ["192.0.2.2"] * 2, True),
        ("127.0.0.1", ["127.0.0.1"] * 2, True),
        ("::1", ["::1"] * 2, True),
        ("127.0.0.1", ["127.0.0.1"] * 3, False),
    ],
)
def test_one_machine_does_not_take_all_places(
    address: str, sitting: list[str], found: bool
) -> None:
    places = Places(3, each=2)
    halls = [places.hall(), places.hall()]
    for number, other in enumerate(sitting):
        halls[number % 2].add(Somebody(other))
    assert places.find(address) is found


async def test_the_last_one_to_leave_is_noticed() -> None:
    guests = Guests()
    one, other = Somebody(""), Somebody("")
    guests.update((one, other))
    async with anyio.create_task_group() as group:
        group.start_soon(guests.gone)
        await anyio.wait_all_tasks_blocked()
        guests.discard(one)
        guests.discard(other)
    await guests.gone()


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.mark.skipif(sys.platform != "linux", reason="counts what this process has open")
async def test_without_descriptors_it_waits_and_says_so_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0
    rest = doorway.Doorway._rest

    def counted(self: doorway.Doorway, error: OSError) -> None:
        nonlocal tries
        tries += 1
        rest(self, error)

    monkeypatch.setattr(doorway.Doorway, "_rest", counted)
    await stage.serve(answers)
    limit, files = resource.getrlimit(resource.RLIMIT_NOFILE), open_files()
    with ExitStack() as stack:
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files + 30, limit[1]))
        ballast = []
        with suppress(OSError):
            while True:
                ballast.append(os.dup(0))
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", stage.port))
        await anyio.sleep(5 * doorway.PAUSE)
        assert 1 <= tries <= 10
        for descriptor in ballast:
            os.close(descriptor)
        await asyncio.get_running_loop().sock_sendall(client, GET)
        assert (await asyncio.get_running_loop().sock_recv(client, 9)) == b"HTTP/1.1 "
    assert caplog.text.count("cannot take in a connection") == 1


async def test_a_head_that_comes_byte_by_byte_has_to_be_whole_in_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "HEAD", 0.3)
    async with stage.client() as client, anyio.create_task_group() as group:

        async def drip() -> None:
            await client.send(b"GET / HTTP/1.1\r\nX: ")
            with suppress(ConnectionError):
                while True:
                    await client.send(b"x")
                    await anyio.sleep(0.01)

        group.start_soon(drip)
        assert (await client.head()).startswith(b"HTTP/1.1 408 ")
        group.cancel_scope.cancel()


async def test_preliminary_answers_without_end_are_none(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        while True:
            await talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")

    await stage.serve(play)
    async with stage.client() as client:
        await client.send(GET)
        found = await client.until(b"HTTP/1.1 502 ")
        assert found.count(b"103 Early Hints") <= 102


async def test_tasks_have_no_more_connections_than_there_is_room_for(stage: Stage) -> None:
    asked, go_on = anyio.Event(), anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.head()
        asked.set()
        await go_on.wait()
        await talk.send(OK)
        await answers(talk)

    await stage.serve(play)
    stage.proxy.lines.__dict__["_most"] = 1
    async with stage.client() as one, stage.client() as other:
        await one.send(GET)
        await asked.wait()
        await other.send(GET)
        assert (await other.until(b"are open already\n")).startswith(b"HTTP/1.1 503 ")
        go_on.set()
        await one.head()
        await one.exactly(2)
        assert await answered(other)  # what one has used


async def test_a_tunnel_that_ended_is_forgotten(stage: Stage) -> None:
    async def play(talk: Talk) -> None:
        await talk.head()
        await talk.send(b"HTTP/1.1 101 Go\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        await talk.until(b"end")

    await stage.serve(play)
    ask = b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: echo\r\nConnection: upgrade\r\n\r\n"
    async with stage.client() as client:
        await client.send(ask)
        await client.head()
        await client.send(b"end")
        await client.rest()
        client.end()
        with anyio.fail_after(10):
            await stage.proxy.empty()


async def test_before_the_end_answers_are_finished_and_the_next_ones_wait(stage: Stage) -> None:
    asked, go_on = anyio.Event(), anyio.Event()

    async def play(talk: Talk) -> None:
        while True:
            if b"X-Late" in await talk.head():
                asked.set()
                await go_on.wait()
            await talk.send(OK)

    await stage.serve(play)
    async with stage.client() as busy, stage.client() as idle:
        assert await answered(idle)
        await busy.send(GET.replace(b"\r\n\r\n", b"\r\nX-Late: 1\r\n\r\n"))
        await asked.wait()
        stage.proxy.pause()
        async with stage.client() as late:
            await late.send(GET)
            assert await idle.rest() == b""
            go_on.set()
            assert b"\r\nConnection: close\r\n" in await busy.head()
            assert await busy.rest() == b"ok"
            await stage.proxy.empty()
            stage.proxy.resume()
            assert b"\r\nConnection: close\r\n" not in await late.head()


async def test_who_asks_in_the_last_moment_is_answered(stage: Stage) -> None:
    await stage.serve(answers)
    async with stage.client() as client:
        assert await answered(client)
        stage.proxy.pause()
        await client.send(GET)
        assert b"\r\nConnection: close\r\n" in await client.head()
        assert await client.rest() == b"ok"


async def test_nothing_is_said_to_who_has_taken_a_port(stage: Stage) -> None:
    heard, over = b"", anyio.Event()

    async def play(talk: Talk) -> None:
        nonlocal heard
        with suppress(ConnectionError):
            heard += await talk.rest()
        over.set()

    await stage.serve(play)
    stage.proxy.lines.__dict__["_suspect"] = lambda address, port: f"{address} is a stranger's"
    async with stage.client() as client:
        await client.send(GET)
        found = await client.until(b"stranger's\n")
        assert found.startswith(b"HTTP/1.1 503 ")
        await over.wait()
        assert heard == b""
        stage.proxy.lines.__dict__["_suspect"] = None
        assert stage.proxy.lines.__dict__["_open"] == 0


class Elsewhere:
    """Answers those who come without encryption."""

    def find(self, host: str) -> Target | Absence:
        return Absence(307, "redirect", "over there", location=f"https://{host}")

    def absent(self, target: Target, why: str) -> Absence:
        raise AssertionError


async def test_who_does_not_encrypt_is_led_to_where_it_is_done(secure: Secure) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    [listener] = bind(["127.0.0.1"], 0)
    with listener:
        async with open_proxy(Elsewhere(), "http", 80) as plain:
            await secure.stage.proxy.listen(listener, context, plain)
            port = listener.getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            client = Talk(reader, writer)
            await client.send(GET)
            head = await client.head()
            assert head.startswith(b"HTTP/1.1 307 ")
            assert b"\r\nLocation: https://api.shop.localhost/\r\n" in head
            assert (len(plain.guests), len(secure.stage.proxy.guests)) == (1, 0)
            writer.close()


async def test_who_does_not_encrypt_takes_a_place_like_others(secure: Secure) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    [listener] = bind(["127.0.0.1"], 0)
    places = secure.stage.proxy.places
    with listener, room_for(secure.stage, 2):
        async with open_proxy(Elsewhere(), "http", 80, places=places) as plain:
            await secure.stage.proxy.listen(listener, context, plain)
            clients = []
            for _ in range(3):
                clients.append(Talk(*await asyncio.open_connection(*listener.getsockname())))
                await clients[-1].send(GET)
                assert (await clients[-1].head()).startswith(b"HTTP/1.1 307 ")
                assert len(plain.guests) <= 2
            await clients[0].rest()
            for client in clients:
                client.writer.close()


@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"])
async def test_who_never_agrees_on_keys_is_sent_away(
    secure: Secure, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "HANDSHAKE", 0.2)
    [listener] = bind(["127.0.0.1"], 0)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with listener:
        async with open_proxy(Elsewhere(), "http", 80) as plain:
            await secure.stage.proxy.listen(listener, context, plain)
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(said)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            with anyio.fail_after(10):
                await secure.stage.proxy.empty()
