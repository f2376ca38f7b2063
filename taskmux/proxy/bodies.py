"""How long a body is, and what it carries: decoded as it comes, framed anew as it goes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .fields import LARGEST_TRAILERS, Fields, Malformed, broken, parse, render

Framing = int | str
"""Bytes of a body, or one of the two below."""

CHUNKED = "chunked"
"""It says itself where it ends."""

UNTIL_CLOSE = "until close"
"""It ends with the connection, as responses may."""

LAST_CHUNK = b"0\r\n\r\n"
_LONGEST_SIZE = 256
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")


@dataclass(slots=True)
class Body:
    """Reads one body; `done` when it has ended."""

    framing: Framing
    done: bool = False
    trailers: Fields = field(default_factory=list)
    _left: int = 0
    """Bytes of the body, or of its chunk, that are still to come."""

    _at: str = "size"
    """In a chunked one: before a size, in `data`, before the `end` of a chunk, or in `trailers`."""

    _held: bytes = b""

    def __post_init__(self) -> None:
        if isinstance(self.framing, int):
            self._left = self.framing
            self.done = self.framing == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what the body carries of `data`, and what comes after its end.

        Raises `Malformed`; what came with the fault is not to be passed on.
        """
        if self.framing == UNTIL_CLOSE:
            return data, b""
        if self.framing == CHUNKED:
            return self._feed_chunked(data)
        carried = data[: self._left] if len(data) > self._left else data
        self._left -= len(carried)
        self.done = self._left == 0
        return carried, data[len(carried) :]

    def _feed_chunked(self, data: bytes) -> tuple[bytes, bytes]:
        data, self._held = self._held + data if self._held else data, b""
        pieces, at, before = [], 0, -1
        while not self.done and at != before:
            before = at
            match self._at:
                case "data":
                    pieces.append(data[at : at + self._left])
                    at += len(pieces[-1])
                    self._left -= len(pieces[-1])
                    if self._left == 0:
                        self._at = "end"
                case "trailers":
                    at = self._end(data, at)
                case _:
                    at = self._line(data, at)
        rest = data[at:]
        if not self.done:
            self._held, rest = rest, b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces), rest

    def _line(self, data: bytes, at: int) -> int:
        if self._at == "end":
            if data[at : at + 2] == b"\r\n":
                self._at = "size"
                return at + 2
            if not b"\r\n".startswith(data[at : at + 2]):
                raise Malformed("a chunk is longer than it says")
            return at
        found = _SIZE.match(data, at)
        if found is None:
            if b"\n" in data[at:] or broken(data[at:]) or len(data) - at > _LONGEST_SIZE:
                raise Malformed("the size of a chunk is malformed")
            return at
        self._left = int(found[1], 16)
        self._at = "data" if self._left else "trailers"
        return found.end()

    def _end(self, data: bytes, at: int) -> int:
        if data[at : at + 2] == b"\r\n":
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at)
        if end == -1:
            if len(data) - at > LARGEST_TRAILERS or broken(data[at:]):
                raise Malformed("the trailers are malformed")
            return at
        self.trailers = parse(data[at : end + 2])
        self.done = True
        return end + 4


def chunk(data: bytes) -> bytes:
    """Return bytes, of which there are some, as a chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Fields) -> bytes:
    """Return what ends a chunked body."""
    return b"0\r\n%b\r\n" % render(trailers) if trailers else LAST_CHUNK
