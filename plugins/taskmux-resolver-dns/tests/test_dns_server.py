from __future__ import annotations

import gc
import logging
import os
import random
import resource
import shutil
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest
from anyio import to_thread
from anyio.abc import ConnectedUDPSocket, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from dnslib import EDNS0, RCODE, DNSLabel
from dnslib import DNSRecord as Message
from taskmux_resolver_dns.answer import Transport
from taskmux_resolver_dns.resolver import Names, serving
from taskmux_resolver_dns.server import MOST_BYTES, MOST_CONNECTIONS, Answering, Server
from taskmux_resolver_dns.settings import DnsSettings
from taskmux_resolver_dns.sockets import PortTaken, listening

from taskmux.contracts import HostRecord
from tests.loopback import LOOPBACKS, free_port, has_ipv6

pytestmark = pytest.mark.anyio

PLENTY = 20.0
"""Seconds for what should come at once."""

log = logging.getLogger("taskmux.testing")


@asynccontextmanager
async def server(*records: HostRecord) -> AsyncIterator[tuple[Names, int]]:
    port = free_port()
    with anyio.fail_after(PLENTY):
        async with serving(DnsSettings(port), log) as names:
            await names.publish(records)
            yield names, port


def question(name: str, kind: str = "A") -> bytes:
    return bytes(Message.question(name, kind).pack())


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


async def receive(stream: SocketStream) -> Message:
    """Return the next answer of a connection whose answers are asked for one by one."""
    [received] = await receive_all(stream, 1)
    return Message.parse(received)


async def receive_all(stream: SocketStream, count: int) -> list[bytes]:
    incoming = BufferedByteReceiveStream(stream)
    found = []
    for _ in range(count):
        length = int.from_bytes(await incoming.receive_exactly(2), "big")
        found.append(await incoming.receive_exactly(length))
    return found


@pytest.mark.parametrize("address", LOOPBACKS)
@pytest.mark.parametrize("tcp", [False, True])
async def test_both_families_and_transports_answer(address: str, tcp: bool) -> None:
    async with server() as (_, port):
        for kind, expected in (("A", "127.0.0.1"), ("AAAA", "::1" if has_ipv6() else None)):
            query = Message.question("a.shop.localhost", kind)
            send = partial(query.send, address, port, tcp, PLENTY, ipv6=":" in address)
            reply = Message.parse(await to_thread.run_sync(send))
            assert reply.header.id == query.header.id
            assert [str(found.rdata) for found in reply.rr] == ([expected] if expected else [])


SIX = pytest.param("-6 @::1 x.localhost", {"NOERROR", "127.0.0.1"}, id="by IPv6")
BY_IPV6 = [SIX] if has_ipv6() else []


@pytest.mark.skipif(shutil.which("dig") is None, reason="takes dig, of the package bind9-dnsutils")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param("api.shop.localhost A", {"NOERROR", "127.0.0.9", "qr aa rd ra"}, id="A"),
        pytest.param("x.localhost AAAA", {"NOERROR", "::1"}, id="AAAA"),
        pytest.param("x.localhost HTTPS", {"NOERROR", "ANSWER: 0", "SOA"}, id="no data"),
        pytest.param("example.com", {"REFUSED"}, id="refused"),
        pytest.param("+tcp x.localhost", {"NOERROR", "127.0.0.1"}, id="TCP"),
        pytest.param("+tcp +keepopen x.localhost y.localhost", {"127.0.0.1"}, id="one connection"),
        pytest.param("+noedns x.localhost", {"NOERROR", "127.0.0.1"}, id="no EDNS"),
        pytest.param("+dnssec x.localhost", {"flags: do", "127.0.0.1"}, id="DNSSEC"),
        pytest.param("+edns=1 +noednsneg x.localhost", {"BADVERS"}, id="another EDNS"),
        pytest.param("+opcode=NOTIFY x.localhost", {"NOTIMP"}, id="another opcode"),
        pytest.param("+header-only", {"FORMERR"}, id="no question"),
        pytest.param("CH TXT version.bind", {"REFUSED"}, id="chaos"),
        pytest.param("AXFR localhost", {"Transfer failed"}, id="transfer"),
        pytest.param("wide.localhost", {"TCP", "10.0.99.1"}, id="again by TCP"),
        *BY_IPV6,
    ],
)
async def test_dig_is_content(arguments: str, expected: set[str]) -> None:
    words = arguments.split()
    wide = [record("wide.localhost", f"10.0.{n}.1") for n in range(100)]
    async with server(record("api.shop.localhost", "127.0.0.9"), *wide) as (_, port):
        where = [] if "@::1" in words else ["@127.0.0.1"]
        command = ["dig", "+tries=1", "+time=5", *where, "-p", str(port), *words]
        done = await anyio.run_process(command, check=False)
    said = done.stdout.decode()
    assert not {word for word in expected if word not in said}, said
    for complaint in ("Warning", "malformed", "recursion requested", "timed out", "mismatch"):
        assert complaint not in said.replace("WARNING: recursion requested", "", int(refused(said)))


def refused(said: str) -> bool:
    """Return whether we say that we cannot recurse, which dig remarks on."""
    return any(code in said for code in ("REFUSED", "BADVERS", "NOTIMP", "FORMERR"))


def record(name: str, address: str) -> HostRecord:
    return HostRecord(name, ip_address(address))


# Ports


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
@pytest.mark.parametrize("address", LOOPBACKS)
async def test_a_port_that_is_taken_is_named(kind: socket.SocketKind, address: str) -> None:
    port = free_port()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as other:
        other.bind((address, port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(PortTaken, match=f"port {port} of {address} is taken") as trouble:
            async with serving(DnsSettings(port), log):
                raise AssertionError("it serves")
    assert f":{port}" in trouble.value.__notes__[0]
    with listening(port):
        pass  # nothing was left bound


async def test_leaving_gives_the_port_back() -> None:
    port = free_port()
    for _ in range(3):
        async with serving(DnsSettings(port), log):
            pass
        with listening(port):
            pass


async def test_leaving_does_not_wait_for_connections() -> None:
    with anyio.fail_after(PLENTY):
        async with server() as (_, port):
            silent = await anyio.connect_tcp("127.0.0.1", port)
            half = await anyio.connect_tcp("127.0.0.1", port)
            await half.send(b"\x00")
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(framed(question("x.localhost")))
                await receive(stream)
        for stream in (silent, half):
            async with stream:
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await stream.receive()


# TCP


async def test_a_connection_takes_several_queries_in_any_pieces() -> None:
    async with server() as (_, port), await anyio.connect_tcp("127.0.0.1", port) as stream:
        for name in ("a.localhost", "b.localhost"):
            for byte in framed(question(name)):
                await stream.send(bytes([byte]))
            assert (await receive(stream)).q.qname == name
        names = [f"{n}.localhost" for n in range(50)]
        await stream.send(b"".join(framed(question(name)) for name in names))
        replies = map(Message.parse, await receive_all(stream, len(names)))
        assert [reply.q.qname for reply in replies] == names


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(framed(b""), id="an empty message"),
        pytest.param(framed(b"\x01"), id="no identifier"),
        pytest.param(framed(bytes(Message.question("a").reply().pack())), id="an answer"),
        pytest.param(framed(question("a").ljust(MOST_BYTES + 1, b"\0")), id="too long a query"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n", id="HTTP"),
    ],
)
async def test_a_connection_that_asks_nothing_is_closed(sent: bytes) -> None:
    async with server() as (_, port), await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(sent + framed(question("a.localhost")))
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await stream.receive()


async def test_a_malformed_query_is_answered_and_the_connection_goes_on() -> None:
    async with server() as (_, port), await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(framed(question("a.localhost")[:-3]))
        assert (await receive(stream)).header.rcode == RCODE.FORMERR
        await stream.send(framed(question("a.localhost")))
        assert (await receive(stream)).rr


async def test_connections_are_bounded_and_the_longest_silent_gives_way() -> None:
    async with server() as (_, port):
        streams = [await anyio.connect_tcp("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        for stream in streams:  # each is known to be taken in; the first speaks last
            await stream.send(framed(question("a.localhost")))
            await receive(stream)
        await streams[0].send(framed(question("a.localhost")))
        await receive(streams[0])
        async with await anyio.connect_tcp("127.0.0.1", port) as late:
            await late.send(framed(question("late.localhost")))
            assert (await receive(late)).q.qname == "late.localhost"
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await streams[1].receive()
            await streams[0].send(framed(question("a.localhost")))
            assert (await receive(streams[0])).rr
        for stream in streams:
            await stream.aclose()


@asynccontextmanager
async def impatient(answering: Answering | None = None) -> AsyncIterator[int]:
    """Serve, and wait for nobody longer than a moment."""
    port = free_port()
    with listening(port) as sockets, anyio.fail_after(PLENTY):
        answers = answering or Names("localhost", sockets.ipv6).answer
        async with anyio.create_task_group() as group:
            group.start_soon(Server(answers, log, patience=0.2).serve, sockets)
            yield port
            group.cancel_scope.cancel()


async def send_on(stream: SocketStream, piece: bytes, pause: float) -> None:
    """Send the same again and again, until that fails."""
    while True:
        await stream.send(piece)
        await anyio.sleep(pause)


@pytest.mark.parametrize(
    "sent",
    [b"", b"\x00", framed(question("a.localhost"))[:-1]],
    ids=["nothing", "half a length", "part of a query"],
)
async def test_who_does_not_go_on_is_not_waited_for(sent: bytes) -> None:
    async with impatient() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(framed(question("a.localhost")))
        await receive(stream)
        await stream.send(sent)
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await stream.receive()


async def test_who_sends_a_query_byte_by_byte_is_not_waited_for() -> None:
    async with impatient() as port, await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(MOST_BYTES.to_bytes(2, "big"))
        with pytest.raises(anyio.BrokenResourceError):
            await send_on(stream, b"x", pause=0.02)


async def test_who_takes_no_answer_is_not_waited_for() -> None:
    def at_length(query: bytes, transport: Transport) -> bytes:
        return query.ljust(transport, b"x")

    async with (
        impatient(at_length) as port,
        await anyio.connect_tcp("127.0.0.1", port) as deaf,
    ):
        # In the end neither side can send any more, and the server gives up.
        with pytest.raises(anyio.BrokenResourceError):
            await send_on(deaf, framed(question("a.localhost")) * 100, pause=0)


async def test_a_reset_in_the_middle_harms_nobody() -> None:
    async with server() as (_, port):
        for sent in (b"", b"\x00", framed(question("a.localhost")) * 500):
            with socket.create_connection(("127.0.0.1", port)) as rude:
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                await to_thread.run_sync(rude.sendall, sent)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(framed(question("a.localhost")))
            assert (await receive(stream)).rr


async def test_when_files_run_out_udp_goes_on_and_tcp_comes_back() -> None:
    async with server() as (_, port), await asker(port) as udp:
        with ExitStack() as held:
            first = socket.create_connection(("127.0.0.1", port))
            held.enter_context(first)
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            with no_more_files():
                waiting.connect_ex(("127.0.0.1", port))
                for n in range(20):
                    assert (await ask(udp, f"{n}.localhost")).rr
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(framed(question("a.localhost")))
            assert (await receive(stream)).rr


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@contextmanager
def no_more_files() -> Iterator[None]:
    held: list[int] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files() + 20, hard))
        with suppress(OSError):
            while True:
                held.append(os.dup(0))
        yield
    finally:
        for one in held:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# UDP


async def asker(port: int) -> ConnectedUDPSocket:
    return await anyio.create_connected_udp_socket("127.0.0.1", port)


async def ask(udp: ConnectedUDPSocket, name: str) -> Message:
    """Return the answer to a query, asked again while it is lost."""
    query = question(name)
    while True:
        await udp.send(query)
        with anyio.move_on_after(0.5):
            while True:
                if (received := await udp.receive())[:2] == query[:2]:
                    return Message.parse(received)


async def test_nothing_that_comes_by_udp_stops_it() -> None:
    pick = random.Random(4)
    plain = question("a.localhost")
    async with server() as (_, port), await asker(port) as udp:
        for n in range(300):
            noise = pick.randbytes(pick.randint(0, 600))
            await udp.send(noise if n % 2 else plain[: pick.randint(0, 13)] + noise)
        await udp.send(b"x" * 60000)
        assert (await ask(udp, "still.there.localhost")).rr


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to send by a raw socket")
async def test_a_sender_that_cannot_be_answered_is_passed_over() -> None:
    async with server() as (_, port), await asker(port) as udp:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            query = question("a.localhost")
            header = struct.pack("!HHHH", 0, port, 8 + len(query), 0)
            for _ in range(3):
                raw.sendto(header + query, ("127.0.0.1", 0))
        assert (await ask(udp, "a.localhost")).rr


async def test_a_flood_leaves_others_their_turn() -> None:
    """While datagrams come faster than they are answered, all else goes on between them."""
    async with server() as (_, port), await asker(port) as udp:
        query = question("flood.localhost")
        flood = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", {port}))
s.setblocking(False)
print("on", flush=True)
while True:
    try:
        s.send({query!r})
    except OSError:
        pass
"""
        async with await anyio.open_process([sys.executable, "-c", flood], stderr=None) as flooding:
            try:
                assert flooding.stdout is not None
                await flooding.stdout.receive()
                async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                    for n in range(50):
                        await stream.send(framed(question(f"{n}.localhost")))
                        assert (await receive(stream)).q.qname == f"{n}.localhost"
            finally:
                flooding.kill()
        assert (await ask(udp, "after.localhost")).rr


async def test_thousands_of_queries_leave_nothing_behind() -> None:
    def state() -> tuple[int, int]:
        gc.collect()
        return open_files(), len(gc.get_objects())

    async with server() as (names, port), await asker(port) as udp:
        edns = Message.question("e.localhost")
        edns.add_ar(EDNS0(DNSLabel(()), udp_len=4096))
        queries = [question("a.localhost"), question("b.com"), b"\x00\x01rubbish", edns.pack()]
        burst = [bytes(query) for query in queries] * 10

        async def round_of(count: int) -> None:
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                for n in range(count // 2 // len(burst)):
                    for query in burst:
                        await udp.send(query)
                    with anyio.move_on_after(1.0):  # datagrams may be lost
                        for _ in burst:
                            await udp.receive()
                    await stream.send(b"".join(map(framed, burst)))
                    await receive_all(stream, len(burst))
                    await names.publish([record(f"{n}.localhost", "127.0.0.1")])

        await round_of(500)
        files, objects = state()
        await round_of(3_000)
        after_files, after_objects = state()
    assert after_files <= files
    assert after_objects < objects + 500
