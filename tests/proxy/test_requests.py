"""Heads of requests: what is read, and what is refused since two could read it differently."""

from __future__ import annotations

import pytest

from taskmux.proxy.bodies import CHUNKED
from taskmux.proxy.fields import LARGEST_HEAD, MOST_FIELDS
from taskmux.proxy.requests import Refused, Request, find

HOST = b"Host: api.shop.localhost\r\n"


def read(text: bytes) -> Request:
    found = find(text)
    assert found is not None
    return found.request


def test_what_a_browser_sends() -> None:
    head = (
        b"GET /a?b=%20c HTTP/1.1\r\nHost: API.shop.localhost:8443\r\nAccept:text/html \r\n"
        b"Cookie: a=\xc3\xa9; b\r\nEmpty:\r\n\r\nGET /next"
    )
    found = find(head)
    assert found is not None
    request, rest = found
    assert (request.method, request.target, rest) == (b"GET", b"/a?b=%20c", b"GET /next")
    assert (request.host, request.port) == ("api.shop.localhost", 8443)
    assert request.fields[1:] == [
        (b"Accept", b"text/html"), (b"Cookie", b"a=\xc3\xa9; b"), (b"Empty", b""),
    ]  # fmt: skip
    assert (request.framing, request.old, request.persistent, request.upgrade) == (
        0,
        False,
        True,
        b"",
    )


@pytest.mark.parametrize(
    ("line", "fields", "facts"),
    [
        (b"POST / HTTP/1.1", b"Content-Length: 12\r\n", {"framing": 12, "repeatable": False}),
        (b"POST / HTTP/1.1", b"Transfer-Encoding: Chunked\r\n", {"framing": CHUNKED}),
        (b"PUT / HTTP/1.1", b"Content-Length: 0\r\n", {"framing": 0, "repeatable": True}),
        (b"POST / HTTP/1.1", b"Expect: 100-Continue\r\nContent-Length: 1\r\n", {"continues": True}),
        (b"GET / HTTP/1.0", b"", {"old": True, "persistent": False}),
        (b"GET / HTTP/1.0", b"Connection: Keep-Alive\r\n", {"persistent": True}),
        (b"GET / HTTP/1.1", b"Connection: x, Close\r\n", {"persistent": False}),
        (b"GET / HTTP/1.1", b"Connection: Upgrade\r\nUpgrade: x/2\r\n", {"upgrade": b"x/2"}),
        (b"GET / HTTP/1.1", b"Upgrade: websocket\r\n", {"upgrade": b""}),
        (b"GET / HTTP/1.0", b"Connection: Upgrade\r\nUpgrade: websocket\r\n", {"upgrade": b""}),
        (b"GET / HTTP/1.1", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", {"upgrade": b""}),
        (b"GET / HTTP/1.1", b"Connection: Upgrade\r\nUpgrade: a, h2c\r\n", {"upgrade": b""}),
        (b"GET http://api.shop.localhost/x HTTP/1.1", b"", {"target": b"/x"}),
        (b"GET HTTPS://API.shop.localhost?q HTTP/1.1", b"", {"target": b"/?q"}),
        (b"OPTIONS * HTTP/1.1", b"", {"target": b"*"}),
        (b"GET /\xc3\xa9 HTTP/1.1", b"", {"target": b"/\xc3\xa9"}),
    ],
)  # fmt: skip
def test_what_it_asks_for(line: bytes, fields: bytes, facts: dict[str, object]) -> None:
    request = read(line + b"\r\n" + HOST + fields + b"\r\n")
    assert {name: getattr(request, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        (b"shop.localhost.", "shop.localhost", None),
        (b"127.0.0.1:443", "127.0.0.1", 443),
        (b"[::1]:443", "[::1]", 443),
    ],
)
def test_who_is_asked(host: bytes, name: str, port: int | None) -> None:
    request = read(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert (request.host, request.port) == (name, port)


LINE = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CORPUS = {
    "both lengths": (400, POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
    "two lengths": (400, POST + b"Content-Length: 4\r\nContent-Length: 5\r\n"),
    "the same length twice": (400, POST + b"Content-Length: 4\r\nContent-Length: 4\r\n"),
    "a list of lengths": (400, POST + b"Content-Length: 4, 4\r\n"),
    "a signed length": (400, POST + b"Content-Length: +4\r\n"),
    "a negative length": (400, POST + b"Content-Length: -4\r\n"),
    "a length in hex": (400, POST + b"Content-Length: 0x4\r\n"),
    "an empty length": (400, POST + b"Content-Length:\r\n"),
    "a length of other digits": (400, POST + "Content-Length: ٤\r\n".encode()),
    "a length beyond all": (400, POST + b"Content-Length: 9999999999999999999\r\n"),
    "chunked twice": (501, POST + b"Transfer-Encoding: chunked, chunked\r\n"),
    "chunked in two fields": (501, POST + b"Transfer-Encoding: chunked\r\n" * 2),
    "chunked, then not": (501, POST + b"Transfer-Encoding: chunked, identity\r\n"),
    "not chunked": (501, POST + b"Transfer-Encoding: identity\r\n"),
    "something like chunked": (501, POST + b"Transfer-Encoding: xchunked\r\n"),
    "quoted": (501, POST + b'Transfer-Encoding: "chunked"\r\n'),
    "a control character before chunked": (400, POST + b"Transfer-Encoding: \x0bchunked\r\n"),
    "gzip first": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n"),
    "chunked in 1.0": (400, b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"),
    "space before the colon": (400, POST + b"Transfer-Encoding : chunked\r\n"),
    "tab before the colon": (400, POST + b"Content-Length\t: 4\r\n"),
    "a name that is none": (400, POST + b"X(Y): 1\r\n"),
    "no name": (400, POST + b": 1\r\n"),
    "no colon": (400, POST + b"X\r\n"),
    "a folded line": (400, POST + b"X: 1\r\n Transfer-Encoding: chunked\r\n"),
    "a folded line at first": (400, LINE + b" X: 1\r\n" + HOST),
    "a bare LF": (400, POST + b"X: 1\nContent-Length: 4\r\n"),
    "a bare CR": (400, POST + b"X: 1\rContent-Length: 4\r\n"),
    "a NUL": (400, POST + b"X: 1\x00\r\n"),
    "a control character": (400, POST + b"X: \x1b[0m\r\n"),
    "no Host": (400, LINE + b"X: 1\r\n"),
    "two Hosts": (400, LINE + HOST + HOST),
    "an empty Host": (400, LINE + b"Host:\r\n"),
    "a Host with a path": (400, LINE + b"Host: shop.localhost/x\r\n"),
    "a Host with a user": (400, LINE + b"Host: me@shop.localhost\r\n"),
    "a Host in two words": (400, LINE + b"Host: shop.localhost evil\r\n"),
    "another host in the target": (400, b"GET http://evil/ HTTP/1.1\r\n" + HOST),
    "a user in the target": (400, b"GET http://api.shop.localhost@evil/ HTTP/1.1\r\n" + HOST),
    "another scheme": (400, b"GET ftp://api.shop.localhost/ HTTP/1.1\r\n" + HOST),
    "no path": (400, b"GET x HTTP/1.1\r\n" + HOST),
    "a star for GET": (400, b"GET * HTTP/1.1\r\n" + HOST),
    "no target": (400, b"GET HTTP/1.1\r\n" + HOST),
    "two spaces": (400, b"GET  / HTTP/1.1\r\n" + HOST),
    "a tab between": (400, b"GET\t/ HTTP/1.1\r\n" + HOST),
    "a space in the target": (400, b"GET /a b HTTP/1.1\r\n" + HOST),
    "a control character in the target": (400, b"GET /\x01 HTTP/1.1\r\n" + HOST),
    "a space after the version": (400, b"GET / HTTP/1.1 \r\n" + HOST),
    "another version": (400, b"GET / HTTP/1.2\r\n" + HOST),
    "a version of two digits": (400, b"GET / HTTP/1.10\r\n" + HOST),
    "small letters": (400, b"GET / http/1.1\r\n" + HOST),
    "HTTP/0.9": (400, b"GET /\r\n" + HOST),
    "a method that is none": (400, b"G(T / HTTP/1.1\r\n" + HOST),
    "no method": (400, b" / HTTP/1.1\r\n" + HOST),
    "CONNECT": (405, b"CONNECT api.shop.localhost:443 HTTP/1.1\r\n" + HOST),
    "another expectation": (417, POST + b"Content-Length: 1\r\nExpect: 200-maybe\r\n"),
    "too many fields": (400, LINE + HOST + b"X: 1\r\n" * MOST_FIELDS),
}


@pytest.mark.parametrize("name", CORPUS)
def test_what_two_could_read_differently_is_refused(name: str) -> None:
    status, text = CORPUS[name]
    with pytest.raises(Refused) as caught:
        find(text + b"\r\n")
    assert caught.value.status == status


@pytest.mark.parametrize("text", [b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTP/1.1\rX", b"\x00"])
def test_what_cannot_become_right_is_not_waited_for(text: bytes) -> None:
    with pytest.raises(Refused):
        find(text)


def test_a_head_comes_in_pieces() -> None:
    whole = b"\r\nGET / HTTP/1.1\r\n" + HOST + b"X: 1\r\n\r\n"
    for length in range(len(whole)):
        assert find(whole[:length]) is None
    assert find(whole) is not None


def test_a_head_has_a_limit() -> None:
    start = b"GET / HTTP/1.1\r\n" + HOST + b"X: "
    fits = start + b"a" * (LARGEST_HEAD - len(start) - 2)
    assert find(fits) is None
    assert find(fits + b"\r\n\r\n") is not None
    with pytest.raises(Refused) as caught:
        find(fits + b"aaa")
    assert caught.value.status == 431
