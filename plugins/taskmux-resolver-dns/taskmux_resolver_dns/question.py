"""What a query asks, read from its bytes: pure.

Not by dnslib, which follows compression pointers into loops and refuses labels that are no
text. A query has one name, with nothing before it to point to, so no pointer is followed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error

Labels = tuple[bytes, ...]
"""A name, most specific label first, without the empty one of the root."""

FORMERR, NOTIMP = 1, 4
"""What a query is refused with that cannot be read, or asks for more than a lookup."""

_OPT = 41
_HEADER = Struct("!HHHHHH")
_KIND = Struct("!HH")
_RECORD = Struct("!HHIH")
_MOST_RECORDS = 4
"""Records read behind the question. There is use for two: OPT and a signature."""


@dataclass(frozen=True, slots=True)
class Edns:
    """What a query says of its sender by its OPT record."""

    payload: int
    version: int
    dnssec: bool


@dataclass(frozen=True, slots=True)
class Query:
    """One question. `name` is in the case it was asked in."""

    id: int
    flags: int
    name: Labels
    kind: int
    space: int
    """The class: 1 is the internet."""

    edns: Edns | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A query that cannot be answered but with a header that says so."""

    id: int
    flags: int
    rcode: int


class _Malformed(Exception):
    """These bytes are no message."""


def read(message: bytes) -> Query | Fault | None:
    """Return what is asked, what is wrong with it, or None for what is to get no answer."""
    if len(message) < 2 or (len(message) > 2 and message[2] & 0x80):
        return None  # nothing to answer to; an answer
    if len(message) < _HEADER.size:
        return Fault(int.from_bytes(message[:2], "big"), 0, FORMERR)
    number, flags, questions, answers, authorities, others = _HEADER.unpack_from(message)
    if flags >> 11:
        return Fault(number, flags, NOTIMP)
    if (questions, answers, authorities) != (1, 0, 0) or others > _MOST_RECORDS:
        return Fault(number, flags, FORMERR)
    try:
        name, place = _read_name(message, _HEADER.size)
        kind, space = _KIND.unpack_from(message, place)
        return Query(number, flags, name, kind, space, _find_edns(message, place + 4, others))
    except (_Malformed, error):
        return Fault(number, flags, FORMERR)


def _read_name(message: bytes, place: int) -> tuple[Labels, int]:
    labels: list[bytes] = []
    begin = place
    while length := _byte(message, place):
        if length > 63 or place + length - begin > 253:  # a pointer; 255 with this one and the end
            raise _Malformed
        labels.append(message[place + 1 : place + 1 + length])
        place += 1 + length
    return tuple(labels), place + 1


def _find_edns(message: bytes, place: int, records: int) -> Edns | None:
    found = None
    for _ in range(records):
        begin, place = place, _skip_name(message, place)
        kind, payload, ttl, length = _RECORD.unpack_from(message, place)
        if kind == _OPT:
            if found is not None or place != begin + 1:  # one, and of the root
                raise _Malformed
            found = Edns(payload, version=ttl >> 16 & 0xFF, dnssec=bool(ttl & 0x8000))
        place += _RECORD.size + length
    if place > len(message):
        raise _Malformed
    return found


def _skip_name(message: bytes, place: int) -> int:
    while length := _byte(message, place):
        if length >= 0xC0:
            return place + 2
        if length > 63:
            raise _Malformed
        place += 1 + length
    return place + 1


def _byte(message: bytes, place: int) -> int:
    if place >= len(message):
        raise _Malformed
    return message[place]
