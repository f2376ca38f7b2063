"""HTTP/2's lists of fields, as the requests and responses of HTTP/1.1 (RFC 9113 §8, RFC 8441).

What a client sends in such a list may hold anything, line ends among it: whatever could be read
in another way by a task, as the text that it becomes, is refused here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1

from .bodies import CHUNKED
from .fields import MOST_FIELDS, TOKEN, Fields, Malformed, end_to_end, length, values
from .pages import Reply
from .requests import Refused, Request, continues, place
from .responses import Response

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(rb"(?![ \t])[^\x00-\x08\x0a-\x1f\x7f]*(?<![ \t])")
_METHOD = re.compile(TOKEN)
_PATH = re.compile(rb"/[\x21-\x7e\x80-\xff]*|\*")

_PSEUDO = {b":method", b":scheme", b":path", b":authority", b":protocol"}
_OF_ONE_CONNECTION = {
    b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade",
}  # fmt: skip

_OF_THE_HANDSHAKE = {b"sec-websocket-key", b"sec-websocket-accept"}
"""What proves to each other that both ends speak HTTP/1.1: here both ends are ours."""

_HANDSHAKE = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def request(found: Fields, *, ended: bool, key: bytes) -> Request:
    """Return what a client asks for; `ended` if no body follows.

    `key` is for a WebSocket. Raises `Malformed` for what is no request, and `Refused` for one
    that can be answered.
    """
    pseudo, rest = _parted(found)
    method, path = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
    rest = _with_host(pseudo, rest)
    protocol = pseudo.get(b":protocol")
    if method == b"CONNECT" and protocol is None:
        raise Refused(405, "this is no proxy for CONNECT")
    if pseudo.get(b":scheme") not in (b"https", b"http") or not _PATH.fullmatch(path):
        raise Malformed("there is no scheme, or no path")
    if protocol is not None:
        return _websocket(method, protocol, path, rest, key)
    path, host, port = place(path, method, values(rest, b"host"))
    said = length(values(rest, b"content-length"))
    if ended and said:
        raise Malformed("the body is shorter than Content-Length")
    return Request(
        method=method,
        target=path,
        host=host,
        port=port,
        fields=rest,
        framing=0 if ended else CHUNKED if said is None else said,
        continues=not ended and continues(values(rest, b"expect")),
    )


def trailers(found: Fields) -> Fields:
    """Return what came after a body; raise `Malformed`."""
    pseudo, rest = _parted(found)
    if pseudo:
        raise Malformed("there are pseudo-header fields after the body")
    return rest


def response(answer: Response, asked: Request) -> Fields:
    """Return the head of a response as its client gets it."""
    kept = end_to_end(answer.fields, chunked=not isinstance(answer.framing, int))
    return [*_status(answer.status), *_lowered(kept), *_length(answer, asked)]


def reply(ours: Reply) -> Fields:
    """Return the head of an answer of our own."""
    return [*_status(ours.status), *_lowered(ours.fields)]


def after(fields: Fields) -> Fields:
    """Return what comes after a response's body."""
    return list(_lowered(fields))


def switched(answer: Response, key: bytes) -> Fields:
    """Return what tells that a WebSocket is open; raise `Malformed` where the task opened none."""
    accepted = b64encode(sha1(key + _HANDSHAKE, usedforsecurity=False).digest())
    protocols = [value.lower() for value in values(answer.fields, b"upgrade")]
    if protocols != [b"websocket"]:
        raise Malformed("it changed to another protocol than WebSocket")
    if values(answer.fields, b"sec-websocket-accept") != [accepted]:
        raise Malformed("its Sec-WebSocket-Accept is wrong")
    kept = _lowered(end_to_end(answer.fields, chunked=False))
    return [*_status(200), *(field for field in kept if field[0] not in _OF_THE_HANDSHAKE)]


def _parted(found: Fields) -> tuple[dict[bytes, bytes], Fields]:
    """Return the pseudo-header fields, and the others."""
    pseudo: dict[bytes, bytes] = {}
    rest: Fields = []
    for name, value in found:
        if _VALUE.fullmatch(value) is None:
            raise Malformed("a header field is malformed")
        if name in _PSEUDO:
            if rest or name in pseudo:
                raise Malformed("a pseudo-header field is out of place")
            pseudo[name] = value
        elif _NAME.fullmatch(name) is None or name in _OF_ONE_CONNECTION:
            raise Malformed("a header field is not one of HTTP/2")
        else:
            rest.append((name, value))
    if any(value.lower() != b"trailers" for value in values(rest, b"te")):
        raise Malformed("TE is not just `trailers`")
    return pseudo, _whole(rest)


def _whole(rest: Fields) -> Fields:
    """Return fields with the crumbs of a cookie put together."""
    crumbs = values(rest, b"cookie")
    if len(crumbs) > 1:
        rest = [field for field in rest if field[0] != b"cookie"]
        rest.append((b"cookie", b"; ".join(crumbs)))
    if len(rest) > MOST_FIELDS:
        raise Refused(431, f"there are more than {MOST_FIELDS} header fields")
    return rest


def _with_host(pseudo: dict[bytes, bytes], rest: Fields) -> Fields:
    """Return the fields with exactly one Host."""
    if _METHOD.fullmatch(pseudo.get(b":method", b"")) is None:
        raise Malformed("there is no method")
    hosts = values(rest, b"host")
    authority = pseudo.get(b":authority")
    if authority is None:
        return rest
    if any(host.lower() != authority.lower() for host in hosts):
        raise Refused(400, ":authority and Host name different hosts")
    return [(b"host", authority), *(field for field in rest if field[0] != b"host")]


def _websocket(method: bytes, protocol: bytes, path: bytes, rest: Fields, key: bytes) -> Request:
    if method != b"CONNECT":
        raise Malformed("only CONNECT has a protocol")
    if protocol.lower() != b"websocket":
        raise Refused(501, "only WebSocket can be connected to")
    path, host, port = place(path, b"GET", values(rest, b"host"))
    kept = [field for field in rest if field[0] not in _OF_THE_HANDSHAKE]
    fields = [*kept, (b"sec-websocket-key", key)]
    return Request(b"GET", path, host, port, fields, 0, upgrade=b"websocket")


def _status(status: int) -> Fields:
    return [(b":status", b"%d" % status)]


def _lowered(fields: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((name.lower(), value) for name, value in fields)


def _length(answer: Response, asked: Request) -> Fields:
    """Return how long the body is; with HEAD and 304, how long it would be."""
    if asked.method == b"HEAD" or answer.status == 304:
        return [(b"content-length", said) for said in values(answer.fields, b"content-length")[:1]]
    if answer.preliminary or answer.status == 204 or not isinstance(answer.framing, int):
        return []
    return [(b"content-length", b"%d" % answer.framing)]
