"""Header fields of HTTP/1.1: which are right, and which concern one connection only.

What two readers may understand differently is refused rather than mended: where
the proxy and a server disagree on where a message ends, the rest of it is
somebody's next request (RFC 9112 §11.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

Fields = list[tuple[bytes, bytes]]
"""Names as they were written, and values without the space around them."""

LARGEST_HEAD = 65_536
"""Bytes of a start line with its fields."""

LARGEST_TRAILERS = 8192

MOST_FIELDS = 100

# None of these gives back what it took: what follows cannot begin with it.
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_VALUE = rb"[^\x00-\x08\x0a-\x1f\x7f]*+"
_FIELDS = re.compile(rb"(?:" + TOKEN + rb":" + _VALUE + rb"\r\n)*+")
_FIELD = re.compile(rb"(" + TOKEN + rb"):[ \t]*+(" + _VALUE + rb")\r\n")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\x00")
_LENGTH = re.compile(rb"[0-9]{1,18}")

_OF_ONE_CONNECTION = {
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
    b"proxy-connection", b"te", b"transfer-encoding", b"upgrade",
}  # fmt: skip

_FRAMING = _OF_ONE_CONNECTION | {b"content-length"}
_FRAMING_AND_TRAILER = _FRAMING | {b"trailer"}

_NO_TRAILERS = _OF_ONE_CONNECTION | {
    b"authorization", b"cache-control", b"content-encoding", b"content-length", b"content-range",
    b"content-type", b"cookie", b"date", b"expect", b"expires", b"host", b"location", b"set-cookie",
    b"trailer", b"vary", b"www-authenticate",
}  # fmt: skip
"""What may not come after the body (RFC 9110 §6.5.1): it says how to read it, or who asks."""


class Malformed(ValueError):
    """A message that cannot be read in one way only; the text says why."""


def broken(unfinished: bytes, seen: int = 0) -> bool:
    """Return whether what came of a head can't become a right one any more.

    That so many bytes of it may be the beginning of one is known already: who sends a byte at
    a time must not have all of them looked at every time.
    """
    return _BARE.search(unfinished, max(seen - 1, 0)) is not None


def parse(block: bytes, start: int = 0) -> Fields:
    """Return the fields of a block from `start`, each with its line end; raise `Malformed`."""
    if _FIELDS.fullmatch(block, start) is None:
        raise Malformed("a header field is malformed")
    found: Fields = _FIELD.findall(block, start)
    if b" \r\n" in block or b"\t\r\n" in block:
        found = [(name, value.rstrip(b" \t")) for name, value in found]
    if len(found) > MOST_FIELDS:
        raise Malformed(f"there are more than {MOST_FIELDS} header fields")
    return found


def values(fields: Fields, name: bytes) -> list[bytes]:
    """Return every value of the fields with a name, which is given in lower case."""
    return [value for key, value in fields if key.lower() == name]


def by_name(fields: Fields) -> dict[bytes, list[bytes]]:
    """Return the values of every name, in lower case; for who needs those of many names."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        found.setdefault(name.lower(), []).append(value)
    return found


def words(found: Sequence[bytes]) -> set[bytes]:
    """Return what comma-separated lists name, in lower case."""
    if not found:
        return set()
    return {part.strip() for part in b",".join(found).lower().split(b",")} - {b""}


def length(found: list[bytes]) -> int | None:
    """Return what `Content-Length` says; None if there is none. Raises `Malformed`."""
    if not found:
        return None
    if len(set(found)) > 1 or not _LENGTH.fullmatch(found[0]):
        raise Malformed("Content-Length is not one number")
    return int(found[0])


def end_to_end(fields: Fields, *, chunked: bool, but: AbstractSet[bytes] = frozenset()) -> Fields:
    """Return the fields that are meant for who is at the other end, those on framing left out.

    `Trailer` is, as far as the body stays `chunked`. Names in `but` are left out, too; and
    either with `_` for `-`, since many frameworks take the one for the other.
    """
    dropped = _FRAMING if chunked else _FRAMING_AND_TRAILER
    kept = [
        field
        for field in fields
        if (name := field[0].lower().replace(b"_", b"-")) not in dropped and name not in but
    ]
    # Where nothing is left out there is no Connection either.
    if len(kept) < len(fields) and (named := words(values(fields, b"connection")) - dropped):
        kept = [field for field in kept if field[0].lower() not in named]
    return kept


def trailers(fields: Fields) -> Fields:
    """Return the fields that may come after a body."""
    return [(name, value) for name, value in fields if name.lower() not in _NO_TRAILERS]


def render(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return fields as they are sent."""
    lines = [*map(b": ".join, fields), b""]
    return b"\r\n".join(lines)
