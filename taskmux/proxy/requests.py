"""The head of a request: what it asks for, read in the one way it can be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from typing import NamedTuple

from . import fields
from .bodies import CHUNKED, Framing
from .fields import LARGEST_HEAD, TOKEN, Fields, Malformed, by_name, words

_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]*)(.*)", re.DOTALL)
_HOST = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?")

Said = dict[bytes, list[bytes]]
"""The values of each name, in lower case."""

REPEATABLE = {b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"}
"""Methods that ask for the same when they ask twice (RFC 9110 §9.2.2)."""


# Not frozen: that would treble what it costs to make one, and every request is one.
@dataclass(slots=True)
class Request:
    """A request without its body."""

    method: bytes
    target: bytes
    """A path with its query, or `*`."""

    host: str
    """The name it is for, in lower case and without a final dot."""

    port: int | None
    """As the client named it; None if it left that out."""

    fields: Fields
    framing: Framing
    old: bool = False
    """HTTP/1.0: such a client knows neither chunks nor what comes before an answer."""

    persistent: bool = True
    """Whether the connection stays open for another one."""

    upgrade: bytes = b""
    """The protocol it would change to; empty if none that is passed on."""

    continues: bool = False
    """Whether the body waits for `100 Continue`."""

    said: InitVar[Said | None] = None
    """The values of each name; None to have them looked for."""

    _said: Said = field(init=False, compare=False, repr=False)

    def __post_init__(self, said: Said | None) -> None:
        self._said = by_name(self.fields) if said is None else said

    def values(self, name: bytes) -> Sequence[bytes]:
        """Return every value of the fields with a name, which is given in lower case."""
        return self._said.get(name, ())

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again where nobody knows if it arrived."""
        return self.framing == 0 and not self.upgrade and self.method in REPEATABLE


class Refused(Malformed):
    """A request that is answered with a `status`; the connection ends with it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Found(NamedTuple):
    """A head, and what came after it."""

    request: Request
    rest: bytes


def find(received: bytes, seen: int = 0) -> Found | None:
    """Return the request at the beginning of what was received; None if its head is not whole.

    `seen` bytes were looked at before. Raises `Refused` for one that can't be read in one way
    only, and as soon as that is sure.
    """
    if received.startswith(b"\r\n"):  # RFC 9112 §2.2: some clients end a body with it
        received, seen = received[2:], max(seen - 2, 0)
    end = received.find(b"\r\n\r\n", max(seen - 3, 0), LARGEST_HEAD + 4)
    if end == -1:
        if len(received) > LARGEST_HEAD:
            raise Refused(431, f"the head is longer than {LARGEST_HEAD} bytes")
        if fields.broken(received, seen):
            raise Refused(400, "a line does not end with CR LF")
        return None
    try:
        return Found(_read(received[: end + 2]), received[end + 4 :])
    except Refused:
        raise
    except Malformed as error:
        raise Refused(400, str(error)) from None


def _read(block: bytes) -> Request:
    line = _LINE.match(block)
    if line is None:
        raise Refused(400, "the request line is malformed")
    method, target, minor = line.groups()
    if method == b"CONNECT":
        raise Refused(405, "this is no proxy for CONNECT")
    found = fields.parse(block, line.end())
    said = by_name(found)
    old = minor == b"0"
    target, host, port = place(target, method, said.get(b"host", []))
    connection = words(said.get(b"connection", ()))
    framing = _framing(said, old=old)
    return Request(
        method=method,
        target=target,
        host=host,
        port=port,
        fields=found,
        framing=framing,
        old=old,
        persistent=b"keep-alive" in connection if old else b"close" not in connection,
        upgrade=b"" if old or framing != 0 else _upgrade(said, connection),
        continues=not old and framing != 0 and continues(said.get(b"expect", ())),
        said=said,
    )


def place(target: bytes, method: bytes, hosts: list[bytes]) -> tuple[bytes, str, int | None]:
    """Return a path, and the host and port it is asked of; raise `Refused`."""
    if len(hosts) != 1:
        raise Refused(400, "there is not one Host")
    if not target.startswith(b"/") and (target, method) != (b"*", b"OPTIONS"):
        target = _path(target, hosts[0])
    host = _HOST.fullmatch(hosts[0])
    if host is None:
        raise Refused(400, "Host is not a host")
    return target, host[1].decode().lower().removesuffix("."), int(host[2]) if host[2] else None


def _path(address: bytes, host: bytes) -> bytes:
    absolute = _ABSOLUTE.fullmatch(address)
    if absolute is None:
        raise Refused(400, "the target is neither a path nor an address")
    # RFC 9112 §3.2.2 would have it outrank Host; whoever sends both unlike is up to something.
    if absolute[1].lower() != host.lower():
        raise Refused(400, "the target and Host name different hosts")
    return absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]


def _framing(said: Said, *, old: bool) -> Framing:
    codings, lengths = said.get(b"transfer-encoding", []), said.get(b"content-length", [])
    if not codings:
        if len(lengths) > 1:
            raise Malformed("there is more than one Content-Length")
        return fields.length(lengths) or 0
    if lengths:
        raise Malformed("there are both Transfer-Encoding and Content-Length")
    if old:
        raise Malformed("HTTP/1.0 has no Transfer-Encoding")
    if [coding.lower() for coding in codings] != [b"chunked"]:
        raise Refused(501, "Transfer-Encoding is not just `chunked`")
    return CHUNKED


def _upgrade(said: Said, connection: set[bytes]) -> bytes:
    # h2c would carry requests past every rule here.
    wanted = said.get(b"upgrade", []) if b"upgrade" in connection else []
    usable = len(wanted) == 1 and not {b"h2c", b"http/2.0", b"h2"} & words(wanted)
    return wanted[0] if usable else b""


def continues(expectations: Sequence[bytes]) -> bool:
    """Return whether the body waits to be asked for; raise `Refused`."""
    expected = [value.lower() for value in expectations]
    if expected not in ([], [b"100-continue"]):
        raise Refused(417, "only 100-continue can be expected")
    return bool(expected)
