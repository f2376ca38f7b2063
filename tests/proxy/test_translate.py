"""Lists of fields, as requests and responses."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

import pytest

from taskmux.proxy import translate
from taskmux.proxy.bodies import CHUNKED, UNTIL_CLOSE, Framing
from taskmux.proxy.fields import Fields, Malformed
from taskmux.proxy.forward import Visitor, request_head
from taskmux.proxy.pages import Reply
from taskmux.proxy.requests import Refused, Request
from taskmux.proxy.responses import Response

KEY = b64encode(b"0123456789abcdef")
GET = {
    b":method": b"GET",
    b":scheme": b"https",
    b":authority": b"Api.Shop.localhost:8443",
    b":path": b"/a?b=c",
}
POST = GET | {b":method": b"POST"}
SOCKET = GET | {b":method": b"CONNECT", b":protocol": b"websocket"}


def ask(pseudo: dict[bytes, bytes], *fields: tuple[bytes, bytes], ended: bool = True) -> Request:
    return translate.request([*pseudo.items(), *fields], ended=ended, key=KEY)


def without(name: bytes) -> dict[bytes, bytes]:
    return {key: value for key, value in GET.items() if key != name}


def test_a_request_is_read() -> None:
    found = ask(GET, (b"accept", b"*/*"), (b"te", b"Trailers"))
    assert found == Request(
        method=b"GET",
        target=b"/a?b=c",
        host="api.shop.localhost",
        port=8443,
        fields=[(b"host", b"Api.Shop.localhost:8443"), (b"accept", b"*/*"), (b"te", b"Trailers")],
        framing=0,
    )


def test_its_head_is_one_of_http_1() -> None:
    crumbs = [(b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")]
    head = request_head(ask(POST, *crumbs, ended=False), Visitor("127.0.0.1", "https", 443))
    assert head.startswith(b"POST /a?b=c HTTP/1.1\r\nhost: Api.Shop.localhost:8443\r\n")
    assert head.count(b"cookie") == 1
    assert b"\r\ncookie: a=1; b=2\r\n" in head
    assert b"\r\nTransfer-Encoding: chunked\r\n" in head


@pytest.mark.parametrize(
    ("fields", "ended", "framing"),
    [
        ([], True, 0),
        ([], False, CHUNKED),
        ([(b"content-length", b"5")], False, 5),
        ([(b"content-length", b"0")], True, 0),
        ([(b"content-length", b"5"), (b"content-length", b"5")], False, 5),
    ],
)
def test_a_body_is_as_long_as_is_said(fields: Fields, ended: bool, framing: Framing) -> None:
    assert ask(POST, *fields, ended=ended).framing == framing


def test_all_may_be_asked_for_with_options() -> None:
    assert ask(GET | {b":method": b"OPTIONS", b":path": b"*"}).target == b"*"


def test_host_does_where_there_is_no_authority() -> None:
    assert ask(without(b":authority"), (b"host", b"shop.localhost")).host == "shop.localhost"


def test_host_may_say_the_same_in_other_words() -> None:
    found = ask(GET, (b"host", b"api.shop.localhost:8443"))
    assert [value for name, value in found.fields if name == b"host"] == [GET[b":authority"]]


@pytest.mark.parametrize(
    "found",
    [
        without(b":method"),
        without(b":scheme"),
        without(b":path"),
        GET | {b":scheme": b"ftp"},
        GET | {b":method": b"G T"},
        GET | {b":method": b"GET / HTTP/1.1\r\nX:"},
        GET | {b":path": b""},
        GET | {b":path": b"a"},
        GET | {b":path": b"/ HTTP/1.1\r\nHost: x"},
        GET | {b":path": b"/a b"},
        GET | {b":path": b"http://x.localhost/"},
        GET | {b":path": b"/\x7f"},
        GET | {b":status": b"200"},
        GET | {b":unknown": b"x"},
        GET | {b":protocol": b"websocket"},
        GET | {b"Accept": b"x"},
        GET | {b"a b": b"x"},
        GET | {b"a:": b"x"},
        GET | {b"a\r\nb": b"x"},
        GET | {b"": b"x"},
        GET | {b"a": b"x\r\ny: z"},
        GET | {b"a": b"x\ny"},
        GET | {b"a": b"x\ry"},
        GET | {b"a": b"x\x00y"},
        GET | {b"a": b" x"},
        GET | {b"a": b"x\t"},
        GET | {b"connection": b"close"},
        GET | {b"keep-alive": b"1"},
        GET | {b"proxy-connection": b"close"},
        GET | {b"transfer-encoding": b"chunked"},
        GET | {b"upgrade": b"websocket"},
        GET | {b"te": b"gzip"},
        GET | {b"te": b"trailers, gzip"},
        GET | {b"content-length": b"5"},
        GET | {b"content-length": b"+5"},
        GET | {b"content-length": b"5, 5"},
        {b"accept": b"x"} | GET,
    ],
    ids=str,
)
def test_what_is_no_request_is_none(found: dict[bytes, bytes]) -> None:
    with pytest.raises(Malformed) as caught:
        ask(found)
    assert not isinstance(caught.value, Refused)


def test_a_pseudo_field_comes_once() -> None:
    with pytest.raises(Malformed):
        translate.request([*GET.items(), (b":path", b"/b")], ended=True, key=KEY)


def test_lengths_that_differ_are_none() -> None:
    with pytest.raises(Malformed):
        ask(POST, (b"content-length", b"5"), (b"content-length", b"6"), ended=False)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (without(b":authority"), 400),
        (GET | {b":authority": b""}, 400),
        (GET | {b":authority": b"user@shop.localhost"}, 400),
        (GET | {b"host": b"web.shop.localhost"}, 400),
        (GET | {b":path": b"*"}, 400),
        ({b":method": b"CONNECT", b":authority": b"x:1"}, 405),
        (SOCKET | {b":protocol": b"connect-udp"}, 501),
        (GET | {b"x%d" % n: b"" for n in range(101)}, 431),
    ],
    ids=lambda value: str(value)[:80],
)
def test_what_cannot_be_served_is_said_to_be(found: dict[bytes, bytes], status: int) -> None:
    with pytest.raises(Refused) as caught:
        ask(found)
    assert caught.value.status == status


def test_another_expectation_than_continue_is_refused() -> None:
    assert ask(POST, (b"expect", b"100-continue"), ended=False).continues
    with pytest.raises(Refused) as caught:
        ask(POST, (b"expect", b"wonders"), ended=False)
    assert caught.value.status == 417


def test_a_cookie_in_many_crumbs_is_one_field() -> None:
    crumbs = [(b"cookie", b"c%d=1" % number) for number in range(200)]
    found = ask(GET, *crumbs)
    assert found.fields[-1][1].startswith(b"c0=1; c1=1; ")


def test_a_websocket_is_asked_for_as_http_1_does() -> None:
    theirs = [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"x"), (b"origin", b"y")]
    head = request_head(
        ask(SOCKET, *theirs, (b"sec-websocket-protocol", b"vite-hmr"), ended=False),
        Visitor("127.0.0.1", "https", 443),
    )
    assert head.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    for line in (
        b"sec-websocket-key: " + KEY,
        b"sec-websocket-version: 13",
        b"sec-websocket-protocol: vite-hmr",
        b"origin: y",
        b"Connection: Upgrade",
        b"Upgrade: websocket",
    ):
        assert head.count(b"\r\n" + line + b"\r\n") == 1
    assert b"Transfer-Encoding" not in head


def accept(key: bytes) -> bytes:
    return b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def upgraded(*fields: tuple[bytes, bytes]) -> Response:
    return Response(101, b"", [(b"Connection", b"Upgrade"), *fields], 0)


UPGRADE = (b"Upgrade", b"WebSocket")


def test_an_open_websocket_is_a_200() -> None:
    proof = (b"Sec-WebSocket-Accept", accept(KEY))
    chosen = (b"Sec-WebSocket-Protocol", b"vite-hmr")
    found = translate.switched(upgraded(UPGRADE, proof, chosen), KEY)
    assert found == [(b":status", b"200"), (b"sec-websocket-protocol", b"vite-hmr")]


@pytest.mark.parametrize(
    "fields",
    [
        [UPGRADE],
        [UPGRADE, (b"Sec-WebSocket-Accept", accept(b"another"))],
        [(b"Upgrade", b"x"), (b"Sec-WebSocket-Accept", accept(KEY))],
        [(b"Sec-WebSocket-Accept", accept(KEY))],
    ],
)
def test_a_websocket_is_open_only_if_the_task_proves_it(fields: Fields) -> None:
    with pytest.raises(Malformed):
        translate.switched(upgraded(*fields), KEY)


@pytest.mark.parametrize(
    ("method", "response", "found"),
    [
        (
            b"GET",
            Response(200, b"OK", [(b"Content-Type", b"x"), (b"Content-Length", b"5")], 5),
            [(b"content-type", b"x"), (b"content-length", b"5")],
        ),
        (b"GET", Response(200, b"OK", [(b"Transfer-Encoding", b"chunked")], CHUNKED), []),
        (b"GET", Response(200, b"OK", [(b"Trailer", b"Sum")], CHUNKED), [(b"trailer", b"Sum")]),
        (b"GET", Response(200, b"OK", [], UNTIL_CLOSE), []),
        (b"GET", Response(200, b"OK", [], 0), [(b"content-length", b"0")]),
        (b"HEAD", Response(200, b"", [(b"Content-Length", b"9")], 0), [(b"content-length", b"9")]),
        (b"HEAD", Response(200, b"", [], 0), []),
        (b"GET", Response(304, b"", [(b"Content-Length", b"9")], 0), [(b"content-length", b"9")]),
        (b"GET", Response(204, b"", [], 0), []),
        (b"GET", Response(103, b"", [(b"Link", b"x")], 0), [(b"link", b"x")]),
        (
            b"GET",
            Response(200, b"", [(b"Connection", b"a, close"), (b"A", b"1"), (b"B", b"2")], 5),
            [(b"b", b"2"), (b"content-length", b"5")],
        ),
        (
            b"GET",
            Response(
                200,
                b"",
                [(b"Keep-Alive", b"x"), (b"Proxy-Connection", b"x"), (b"Upgrade", b"h2c")],
                CHUNKED,
            ),
            [],
        ),
        (
            b"GET",
            Response(200, b"", [(b"Set-Cookie", b"a"), (b"Set-Cookie", b"b")], CHUNKED),
            [(b"set-cookie", b"a"), (b"set-cookie", b"b")],
        ),
    ],
)
def test_a_response_is_told(method: bytes, response: Response, found: Fields) -> None:
    told = translate.response(response, Request(method, b"/", "x", None, [], 0))
    assert told == [(b":status", b"%d" % response.status), *found]


def test_an_answer_of_ours_is_told() -> None:
    reply = Reply(503, [(b"Retry-After", b"1")], b"x")
    assert translate.reply(reply) == [(b":status", b"503"), (b"retry-after", b"1")]


def test_trailers_are_read_and_told() -> None:
    assert translate.trailers([(b"sum", b"5")]) == [(b"sum", b"5")]
    assert translate.after([(b"Sum", b"5")]) == [(b"sum", b"5")]


@pytest.mark.parametrize(
    "found", [(b":status", b"200"), (b"Sum", b"5"), (b"sum", b"\r\n"), (b"connection", b"x")]
)
def test_trailers_are_fields_like_others(found: tuple[bytes, bytes]) -> None:
    with pytest.raises(Malformed):
        translate.trailers([found])
