"""The head of a response, and how long its body is."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import fields
from .bodies import CHUNKED, UNTIL_CLOSE, Framing
from .fields import LARGEST_HEAD, Fields, Malformed, by_name, words

_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?\r\n")


class Response(NamedTuple):
    """A response without its body."""

    status: int
    reason: bytes
    fields: Fields
    framing: Framing
    persistent: bool = True
    """Whether the connection stays open for another request."""

    @property
    def preliminary(self) -> bool:
        """Whether another response to the same request follows."""
        return 100 <= self.status < 200 and self.status != 101


class Found(NamedTuple):
    """A head, and what came after it."""

    response: Response
    rest: bytes


def find(received: bytes, method: bytes, seen: int = 0) -> Found | None:
    """Return the response to a request at the beginning of what was received; None if not whole.

    `seen` bytes were looked at before. Raises `Malformed` for one whose end two readers could see
    in different places.
    """
    end = received.find(b"\r\n\r\n", max(seen - 3, 0), LARGEST_HEAD + 4)
    if end == -1:
        if len(received) > LARGEST_HEAD:
            raise Malformed(f"the head is longer than {LARGEST_HEAD} bytes")
        if fields.broken(received, seen):
            raise Malformed("a line does not end with CR LF")
        return None
    return Found(_read(received[: end + 2], method), received[end + 4 :])


def _read(block: bytes, method: bytes) -> Response:
    line = _LINE.match(block)
    if line is None:
        raise Malformed("the status line is malformed")
    found = fields.parse(block, line.end())
    status, old = int(line[2]), line[1] == b"0"
    said = by_name(found)
    connection = words(said.get(b"connection", ()))
    framing = _framing(said, status, method)
    stays = b"keep-alive" in connection if old else b"close" not in connection
    persistent = stays and framing != UNTIL_CLOSE and status != 101
    return Response(status, line[3] or b"", found, framing, persistent)


def _framing(said: dict[bytes, list[bytes]], status: int, method: bytes) -> Framing:
    codings, length = said.get(b"transfer-encoding", []), said.get(b"content-length", [])
    if codings and length:
        raise Malformed("there are both Transfer-Encoding and Content-Length")
    known = fields.length(length)  # wrong even where there is no body
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        raise Malformed("Transfer-Encoding is not just `chunked`")
    if method == b"HEAD" or status < 200 or status in (204, 304):
        return 0
    if codings:
        return CHUNKED
    return UNTIL_CLOSE if known is None else known
