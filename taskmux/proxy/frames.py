"""What a client sends over HTTP/2, frame by frame, before h2 reads it.

h2 waits for the whole of a frame, however long it says it is; counts nothing; takes GOAWAY for
the end of everything, though a client may send it while it waits for answers; and spends 70 µs on
each frame of a body. So it is shown everything but bodies and GOAWAY, and of a body only the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

PREFACE = 24
"""Bytes before the first frame."""

LARGEST = 16_384
"""Bytes of a frame without its header, as SETTINGS leaves them."""

_HEADER = Struct(">HBBBI")
"""A frame's size in 24 bits, its kind, its flags, its stream."""

_SETTING = 6
_END_STREAM, _END_HEADERS, _PADDED = 0x1, 0x4, 0x8


class Kind(IntEnum):
    """Frames that are told apart."""

    DATA = 0
    HEADERS = 1
    SETTINGS = 4
    PUSH = 5
    GOAWAY = 7
    WINDOW = 8
    CONTINUATION = 9


class TooLong(ValueError):
    """A frame is longer than was agreed."""


class OutOfPlace(ValueError):
    """A frame can't be where it is, or not be so."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a body."""

    stream: int
    data: bytes
    size: int
    """What it takes of the window: padding counts."""

    last: bool


@dataclass(slots=True)
class Frames:
    """Follows one connection."""

    cost: int = 0
    """How much of what came brings nothing, see `Patience`; who reads it sets it back."""

    leaving: bool = False
    """Whether the client said that it asks for nothing more."""

    _held: bytes = b""
    _begun: bool = False
    _in_head: bool = False

    def look(self, data: bytes) -> Iterator[Piece | bytes]:
        """Yield pieces of bodies, and between them what h2 is to read.

        Raises `TooLong` or `OutOfPlace`, when what came before was yielded.
        """
        data = self._held + data if self._held else data
        begin = 0
        for at, end, kind, flags, stream in self._split(data):
            if kind in (Kind.DATA, Kind.GOAWAY):
                if begin < at:
                    yield data[begin:at]
                begin = end
            if kind == Kind.DATA:
                yield _piece(data[at + _HEADER.size : end], flags, stream)
        if begin < (whole := len(data) - len(self._held)):
            yield data[begin:whole]

    def _split(self, data: bytes) -> Iterator[tuple[int, int, int, int, int]]:
        """Yield where each frame begins and ends, and what its header says."""
        at = 0
        if not self._begun and len(data) >= PREFACE:
            self._begun, at = True, PREFACE
        while self._begun and (body := at + _HEADER.size) <= len(data):
            high, low, kind, flags, stream = _HEADER.unpack_from(data, at)
            length = high << 8 | low
            if length > LARGEST:
                raise TooLong(f"a frame has {length} bytes")
            if (end := body + length) > len(data):
                break
            self._count(kind, flags, length)
            yield at, end, kind, flags, stream & 0x7FFFFFFF
            at = end
        self._held = data[at:]

    def _count(self, kind: int, flags: int, length: int) -> None:
        """Note what a frame costs, and whether fields go on after it."""
        match kind:
            case Kind.HEADERS:
                self._in_head = not flags & _END_HEADERS
            case Kind.DATA:
                if self._in_head:
                    raise OutOfPlace("a body begins in the middle of a head")
                self.cost += 0 if length or flags & _END_STREAM else 1
            case Kind.SETTINGS:
                self.cost += 1 + length // _SETTING
            case Kind.CONTINUATION:
                self._in_head = not flags & _END_HEADERS
                self.cost += 1
            case _:
                self.leaving = self.leaving or kind == Kind.GOAWAY
                self.cost += 1


def window(stream: int, size: int) -> bytes:
    """Return a frame that lets the client send more; stream 0 is for all of them."""
    return _HEADER.pack(0, 4, Kind.WINDOW, 0, stream) + size.to_bytes(4)


def body(stream: int, size: int) -> bytes:
    """Return what goes before some of a body, which is not its end."""
    return _HEADER.pack(size >> 8, size & 0xFF, Kind.DATA, 0, stream)


def goaway(last: int) -> bytes:
    """Return a frame that says, for no fault, that streams after `last` are not answered."""
    return _HEADER.pack(0, 8, Kind.GOAWAY, 0, 0) + last.to_bytes(4) + bytes(4)


def end(stream: int) -> bytes:
    """Return what h2 is told of a body's end.

    Trailers that are none: of a body that ended so h2 does not ask how long it was.
    """
    return _HEADER.pack(0, 0, Kind.HEADERS, _END_STREAM | _END_HEADERS, stream)


def _piece(found: bytes, flags: int, stream: int) -> Piece:
    size = len(found)
    if flags & _PADDED:
        if not found or found[0] >= size:
            raise OutOfPlace("there is more padding than frame")
        found = found[1 : size - found[0]]
    return Piece(stream, found, size, bool(flags & _END_STREAM))
