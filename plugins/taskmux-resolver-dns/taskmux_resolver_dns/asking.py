"""Asks a DNS server of this machine one thing, as a resolver would."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from struct import error as struct_error

from dnslib import CLASS, QTYPE, RCODE, DNSError, DNSHeader, DNSLabelError, DNSQuestion
from dnslib import DNSRecord as Message

LIMIT = 3.0
"""Seconds for an answer."""

_UNREADABLE = (DNSError, ValueError, LookupError, RecursionError, struct_error)
"""What reading a message of whoever can raise: dnslib follows pointers into loops."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer, as text but for its `ttl`."""

    name: str
    type: str
    ttl: int
    data: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered. `transport` is `udp` or `tcp`, `rcode` a word: `NOERROR`."""

    transport: str
    type: str
    rcode: str
    authoritative: bool
    records: tuple[Record, ...]


class NoAnswer(Exception):
    """Nobody answers there, or not as a DNS server does."""

    def __init__(self, port: int, transport: str, why: str) -> None:
        super().__init__(f"nobody answers on 127.0.0.1, port {port}, by {transport}: {why}")
        self.add_note('start the daemon with `host_resolver = "dns_server"` in config.toml')


class NotAsked(ValueError):
    """A question that cannot be asked."""


def ask(name: str, kind: str, port: int, transport: str) -> Reply:
    """Return what 127.0.0.1 answers to one question; raise `NoAnswer` or `NotAsked`."""
    query = _query(name, kind)
    send = _by_udp if transport == "udp" else _by_tcp
    try:
        reply = send(query, port)
        records = tuple(
            Record(str(found.rname), QTYPE.get(found.rtype), found.ttl, str(found.rdata))
            for found in reply.rr
        )
        rcode = RCODE.get(reply.header.rcode)
    except OSError as error:
        raise NoAnswer(port, transport, error.strerror or str(error)) from None
    except _UNREADABLE:
        raise NoAnswer(port, transport, "what comes back is no DNS") from None
    return Reply(transport, kind, rcode, bool(reply.header.aa), records)


def _query(name: str, kind: str) -> Message:
    try:
        question = DNSQuestion(name, getattr(QTYPE, kind), CLASS.IN)
        query = Message(DNSHeader(rd=1), q=question)
        query.pack()
    except DNSError:
        raise NotAsked(f"{kind} is not a type of record") from None
    except (UnicodeError, DNSLabelError):
        raise NotAsked(f"{name!r} is not a host name") from None
    return query


def _by_udp(query: Message, port: int) -> Message:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(LIMIT)
        asking.connect(("127.0.0.1", port))
        asking.send(query.pack())
        return _matching(query, lambda: asking.recv(65535))


def _by_tcp(query: Message, port: int) -> Message:
    packed = query.pack()
    with socket.create_connection(("127.0.0.1", port), LIMIT) as asking:
        asking.sendall(len(packed).to_bytes(2, "big") + packed)
        with asking.makefile("rb") as incoming:
            length = int.from_bytes(incoming.read(2), "big")
            return _matching(query, lambda: incoming.read(length))


def _matching(query: Message, receive: Callable[[], bytes]) -> Message:
    reply = Message.parse(receive())
    if reply.header.id != query.header.id:
        raise DNSError("the answer to another question")
    return reply
