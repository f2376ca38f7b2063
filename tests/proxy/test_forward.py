"""What a task gets of a request, and a browser of its response."""

from __future__ import annotations

import pytest

from taskmux.proxy import requests, responses
from taskmux.proxy.bodies import CHUNKED, UNTIL_CLOSE, Framing
from taskmux.proxy.fields import Malformed
from taskmux.proxy.forward import MOST_HOPS, Visitor, hops, reframed, request_head, response_head

VISITOR = Visitor("127.0.0.1", "https", 8443)
FORWARDED = (
    "X-Forwarded-Host: api.shop.localhost",
    "X-Forwarded-Port: 8443",
    "X-Taskmux-Hops: 1",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Real-IP: 127.0.0.1",
)


def request(
    fields: str = "", line: str = "GET /a HTTP/1.1", host: str = "api.shop.localhost"
) -> requests.Request:
    found = requests.find(f"{line}\r\nHost: {host}\r\n{fields}\r\n".encode())
    assert found is not None
    return found.request


def response(
    fields: str = "", line: str = "HTTP/1.1 200 OK", method: bytes = b"GET"
) -> responses.Response:
    found = responses.find(f"{line}\r\n{fields}\r\n".encode(), method)
    assert found is not None
    return found.response


def sent(head: bytes) -> list[str]:
    lines = head.decode().split("\r\n")
    assert lines[-2:] == ["", ""]
    return lines[:-2]


def test_a_task_learns_who_asked() -> None:
    assert sent(request_head(request("Accept: */*\r\n"), VISITOR)) == [
        "GET /a HTTP/1.1", "Host: api.shop.localhost", "Accept: */*", *FORWARDED,
    ]  # fmt: skip


def test_a_client_cannot_say_who_asked() -> None:
    claims = "".join(
        f"{name}: evil\r\n"
        for name in (
            "X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-HOST", "X-Forwarded-Port",
            "Forwarded", "X-Real-Ip", "X_Forwarded_For", "x_taskmux-hops", "Transfer_Encoding",
        )
    )  # fmt: skip
    assert sent(request_head(request(claims), VISITOR))[2:] == [*FORWARDED]


def test_the_port_is_the_one_in_the_address() -> None:
    head = sent(request_head(request(host="api.shop.localhost:443"), VISITOR))
    assert "X-Forwarded-Port: 443" in head
    assert "X-Forwarded-Host: api.shop.localhost:443" in head


def test_what_concerns_the_connection_stays_on_it() -> None:
    fields = (
        "Connection: close, X-Once, keep-alive\r\nX-Once: 1\r\nKeep-Alive: 5\r\nTE: gzip\r\n"
        "Proxy-Authorization: me\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\nX-Stays: 1\r\n"
    )
    assert sent(request_head(request(fields), VISITOR))[2:] == ["X-Stays: 1", *FORWARDED]


@pytest.mark.parametrize(
    ("line", "fields", "framed"),
    [
        ("GET / HTTP/1.1", "", []),
        ("POST / HTTP/1.1", "", ["Content-Length: 0"]),
        ("POST / HTTP/1.1", "Content-Length: 007\r\n", ["Content-Length: 7"]),
        ("GET / HTTP/1.1", "Content-Length: 7\r\n", ["Content-Length: 7"]),
        (
            "POST / HTTP/1.1",
            "Transfer-Encoding: chunked\r\nTrailer: Sum\r\n",
            ["Trailer: Sum", "Transfer-Encoding: chunked"],
        ),
        ("GET / HTTP/1.1", "Trailer: Sum\r\n", []),
        ("GET / HTTP/1.1", "TE: trailers, gzip\r\n", ["TE: trailers", "Connection: TE"]),
        (
            "GET / HTTP/1.1",
            "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: a, b\r\n",
            ["Sec-WebSocket-Protocol: a, b", "Connection: Upgrade", "Upgrade: websocket"],
        ),
    ],
)
def test_it_is_framed_anew(line: str, fields: str, framed: list[str]) -> None:
    head = sent(request_head(request(fields, line), VISITOR))
    assert [one for one in head[2:] if one not in FORWARDED] == framed


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ("", 0),
        ("X-Taskmux-Hops: 3\r\n", 3),
        ("X-Taskmux-Hops: 12\r\n", MOST_HOPS),
        ("X-Taskmux-Hops: -1\r\n", MOST_HOPS),
        ("X-Taskmux-Hops: 1\r\nX-Taskmux-Hops: 1\r\n", MOST_HOPS),
    ],
)
def test_how_often_it_came_through(fields: str, count: int) -> None:
    assert hops(request(fields)) == count


def test_each_time_is_counted() -> None:
    head = sent(request_head(request("X-Taskmux-Hops: 3\r\n"), VISITOR))
    assert [one for one in head if "Hops" in one] == ["X-Taskmux-Hops: 4"]


@pytest.mark.parametrize(
    ("line", "fields", "method", "framing", "persistent"),
    [
        ("HTTP/1.1 200 OK", "Content-Length: 5\r\n", b"GET", 5, True),
        ("HTTP/1.1 200 OK", "Content-Length: 5\r\n" * 2, b"GET", 5, True),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", b"GET", CHUNKED, True),
        ("HTTP/1.1 200 OK", "", b"GET", UNTIL_CLOSE, False),
        ("HTTP/1.1 200", "Content-Length: 5\r\n", b"GET", 5, True),
        ("HTTP/1.1 200 OK", "Content-Length: 5\r\n", b"HEAD", 0, True),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", b"HEAD", 0, True),
        ("HTTP/1.1 204 No Content", "", b"GET", 0, True),
        ("HTTP/1.1 304 Not Modified", "Content-Length: 5\r\n", b"GET", 0, True),
        ("HTTP/1.1 100 Continue", "", b"POST", 0, True),
        ("HTTP/1.1 200 OK", "Content-Length: 5\r\nConnection: close\r\n", b"GET", 5, False),
        ("HTTP/1.0 200 OK", "Content-Length: 5\r\n", b"GET", 5, False),
        ("HTTP/1.0 200 OK", "Content-Length: 5\r\nConnection: keep-alive\r\n", b"GET", 5, True),
    ],
)
def test_where_a_response_ends(
    line: str, fields: str, method: bytes, framing: Framing, persistent: bool
) -> None:
    found = response(fields, line, method)
    assert (found.framing, found.persistent) == (framing, persistent)


@pytest.mark.parametrize(
    "text",
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nX : 1\r\n",
        "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n",
        "HTTP/1.1 099 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/2 200 OK\r\n",
        "ICY 200 OK\r\n",
    ],
)
def test_a_response_that_two_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        responses.find(text.encode() + b"\r\n", b"GET")


NEW, OLD, HEAD = "GET / HTTP/1.1", "GET / HTTP/1.0", "HEAD / HTTP/1.1"


@pytest.mark.parametrize(
    ("line", "asked", "fields", "persistent", "framed"),
    [
        ("HTTP/1.1 200 OK", NEW, "Content-Length: 5\r\n", True, ["Content-Length: 5"]),
        ("HTTP/1.1 200 OK", NEW, "", True, ["Transfer-Encoding: chunked"]),
        ("HTTP/1.1 200 OK", OLD, "", False, ["Connection: close"]),
        ("HTTP/1.1 200 OK", OLD, "Transfer-Encoding: chunked\r\n", False, ["Connection: close"]),
        (
            "HTTP/1.1 200 OK", OLD, "Content-Length: 5\r\n", True,
            ["Content-Length: 5", "Connection: keep-alive"],
        ),
        ("HTTP/1.1 200 OK", HEAD, "Content-Length: 5\r\n", True, ["Content-Length: 5"]),
        ("HTTP/1.1 304 Not Modified", NEW, "Content-Length: 5\r\n", True, ["Content-Length: 5"]),
        ("HTTP/1.1 200 OK", NEW, "Content-Length: 0\r\n", True, ["Content-Length: 0"]),
        ("HTTP/1.1 204 No Content", NEW, "", True, []),
        ("HTTP/1.1 103 Early Hints", NEW, "Link: a\r\n", True, ["Link: a"]),
        (
            "HTTP/1.1 200 OK", NEW, "Connection: x-y\r\nX-Y: 1\r\nContent-Length: 5\r\n", True,
            ["Content-Length: 5"],
        ),
    ],
)  # fmt: skip
def test_a_browser_gets_it_framed_anew(
    line: str, asked: str, fields: str, persistent: bool, framed: list[str]
) -> None:
    method = asked.split()[0].encode()
    head = response_head(response(fields, line, method), request(line=asked), persistent=persistent)
    assert sent(head) == [line, *framed]


def test_two_cookies_stay_two() -> None:
    head = response_head(
        response("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n"),
        request(),
        persistent=True,
    )
    assert sent(head)[1:3] == ["Set-Cookie: a=1", "Set-Cookie: b=2"]


def test_who_knows_no_chunks_gets_it_until_the_end() -> None:
    chunked = response("Transfer-Encoding: chunked\r\n")
    assert reframed(chunked, request(line=OLD)) == UNTIL_CLOSE
    assert reframed(chunked, request()) == CHUNKED
