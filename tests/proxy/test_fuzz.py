"""Bytes of every kind: what is accepted is read as another reader of HTTP reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskmux.proxy import requests, responses
from taskmux.proxy.bodies import CHUNKED, Body, Framing, chunk, last_chunk
from taskmux.proxy.fields import Fields, Malformed
from taskmux.proxy.forward import Visitor, request_head
from tests.proxy.stage import HOST

VISITOR = Visitor("127.0.0.1", "https", 443)

REQUESTS = [
    b"GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /a?b=c HTTP/1.1\r\n" + HOST + b"Accept: */*\r\nCookie: a=b; c=d\r\n\r\n",
    b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
    b"PUT / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n1F\r\n0123456789012345678901234567890\r\n0\r\nSum: 1\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
    b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
]
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 \r\nContent-Type: text/plain\r\n\r\nuntil it closes",
    b"HTTP/1.0 404 Not Found\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\ngone",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: x\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
]
PIECES = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"-1", b"+5", b"0x5", b"1_0",
    b"chunked", b"Chunked", b"identity", b"chunked, chunked", b"\x0b", b"\x0c", b"\x85", b"\xff",
    b"Content-Length: 5\r\n", b"Content-Length: 6\r\n", b"Content-Length : 5\r\n", b"\r\n ",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: x\r\n", b"Connection: close\r\n", HOST,
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"fffffffffffffffff\r\n", b"HTTP/1.1", b"HTTP/1.0",
    b"HTTP/2.0",
]  # fmt: skip


@st.composite
def spoiled(draw: st.DrawFn, corpus: list[bytes]) -> bytes:
    """Return a valid message of which a few bytes were changed, put in, or taken out."""
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.sampled_from([start, start + 1, start + 2, start + 9]))
        data = data[:start] + draw(st.sampled_from([b"", *PIECES])) + data[end:]
    return data


BOUNDED = settings(max_examples=300)
CUTS = st.lists(st.integers(0, 200), max_size=5)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted({place for place in at if place < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@dataclass
class Reading:
    """What a message says, for the one who reads it."""

    start: tuple[object, ...]
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    whole: bool = False
    rest: bytes = b""
    odd: bool = False
    """Whether it has what only h11 refuses, and is not sent on, or known by all others."""


def lowered(fields: Fields) -> list[tuple[bytes, bytes]]:
    """Return fields as h11 shows them."""
    framing = (b"transfer-encoding", b"content-length")
    found = [(name.lower(), value) for name, value in fields]
    return [(name, value.lower() if name in framing else value) for name, value in found]


def our_request(data: bytes, seen: int = 0) -> tuple[Reading, Framing] | None:
    found = requests.find(data, seen)
    if found is None:
        return None
    one = found.request
    reading = Reading((one.method, one.target), lowered(one.fields), rest=found.rest)
    return reading, one.framing


def our_response(data: bytes, seen: int = 0) -> tuple[Reading, Framing] | None:
    found = responses.find(data, b"GET", seen)
    if found is None:
        return None
    one = found.response
    reading = Reading((one.status, one.reason), lowered(one.fields), rest=found.rest)
    return reading, one.framing


def odd(start: tuple[object, ...], trailers: Sequence[tuple[bytes, bytes]] = ()) -> bool:
    """Return whether there is a target in UTF-8, as from curl, or a trailer on framing."""
    framing = (b"transfer-encoding", b"content-length")
    raw = any(isinstance(part, bytes) and not part.isascii() for part in start)
    return raw or any(name.lower() in framing for name, _ in trailers)


Find = Callable[[bytes, int], tuple[Reading, Framing] | None]


def ours(pieces: list[bytes], find: Find) -> Reading | None:
    """Return what we read of pieces that come one after the other; raise `Malformed`."""
    received, reading, body = b"", None, Body(0)
    for piece in pieces:
        seen, received = len(received), received + piece
        if reading is None:
            if (found := find(received, seen)) is None:
                continue
            reading, framing = found
            body, received = Body(framing), reading.rest
        if not body.done:
            carried, received = body.feed(received)
            reading.body += carried
    if reading is not None:
        reading.whole, reading.rest = body.done, received
        reading.odd = odd(reading.start, body.trailers)
    return reading


def read(connection: h11.Connection, data: bytes) -> Reading | None:
    """Return what h11 reads; raise `h11.RemoteProtocolError` where it will not."""
    connection.receive_data(data)
    reading: Reading | None = None
    while True:
        event = connection.next_event()
        match event:
            case h11.Request():
                reading = Reading((event.method, event.target), list(event.headers))
            case h11.InformationalResponse():
                reading = Reading((event.status_code, event.reason), list(event.headers))
                reading.whole, reading.rest = True, connection.trailing_data[0]
                return reading
            case h11.Response():
                reading = Reading((event.status_code, event.reason), list(event.headers))
            case h11.Data() if reading is not None:
                reading.body += bytes(event.data)
            case h11.EndOfMessage() if reading is not None:
                reading.whole, reading.rest = True, connection.trailing_data[0]
                return reading
            case _:
                return reading


def agree(one: Reading | None, other: Reading | None) -> None:
    if one is None or other is None:
        assert one is other
        return
    assert one.start == other.start
    assert one.fields == other.fields
    assert one.body == other.body
    assert one.whole == other.whole
    if one.whole:
        assert one.rest == other.rest


def asked() -> h11.Connection:
    """Return a connection that waits for the answer to a GET."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    return connection


def check(data: bytes, cuts: list[int], find: Find, connection: h11.Connection) -> None:
    """See that h11 reads what we do, however it comes; what we refuse, it may read."""
    try:
        whole = ours([data], find)
    except Malformed:
        with pytest.raises(Malformed):
            ours(cut(data, cuts), find)
        return
    agree(whole, ours(cut(data, cuts), find))
    if whole is not None and not whole.odd:
        # RFC 9112 §2.2 has an empty line ignored; h11 does not.
        agree(whole, read(connection, data.removeprefix(b"\r\n")))


def check_onward(data: bytes) -> None:
    """See that a task reads what we have read."""
    try:
        found = requests.find(data)
    except Malformed:
        return
    if found is None or odd((found.request.target,)):
        return
    one = found.request
    body = Body(one.framing)
    try:
        carried, _ = (b"", b"") if body.done else body.feed(found.rest)
    except Malformed:
        return
    if one.framing == CHUNKED:
        carried = (chunk(carried) if carried else b"") + (last_chunk([]) if body.done else b"")
    sent = request_head(one, VISITOR) + carried
    theirs = read(h11.Connection(h11.SERVER), sent)
    assert theirs is not None
    assert theirs.start == (one.method, one.target)
    assert theirs.whole == body.done
    assert theirs.rest == b""


@BOUNDED
@given(spoiled(REQUESTS), CUTS)
def test_a_request_is_read_as_others_read_it(data: bytes, cuts: list[int]) -> None:
    check(data, cuts, our_request, h11.Connection(h11.SERVER))


@BOUNDED
@given(spoiled(RESPONSES), CUTS)
def test_a_response_is_read_as_others_read_it(data: bytes, cuts: list[int]) -> None:
    check(data, cuts, our_response, asked())


@BOUNDED
@given(spoiled(REQUESTS))
def test_a_task_reads_what_was_read(data: bytes) -> None:
    check_onward(data)


@pytest.mark.soak
@pytest.mark.timeout(1200)
@settings(max_examples=50_000, derandomize=False)
@given(spoiled(REQUESTS), spoiled(RESPONSES), CUTS)
def test_bytes_are_read_as_others_read_them_for_long(
    request: bytes, response: bytes, cuts: list[int]
) -> None:
    check(request, cuts, our_request, h11.Connection(h11.SERVER))
    check(response, cuts, our_response, asked())
    check_onward(request)
