"""What our DNS server answers, as bytes in and bytes out.

Whatever is asked gets an answer at once, so that no resolver waits for us in vain:

    a name of ours, A or AAAA      its addresses of that family, perhaps none
    a name of ours, ANY            all its addresses
    a name of ours, another type   none: NOERROR, and the SOA that lets it be remembered
    AXFR, IXFR, another class      REFUSED
    any other name                 REFUSED
    not a lookup                   NOTIMP
    EDNS of another version        BADVERS
    not to be read                 FORMERR
    an answer, or no identifier    nothing at all

Answers of ours claim recursion (RA): they are complete, and some stub resolvers pass over
the answer of a server that was asked to recurse and says it cannot. REFUSED does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from dnslib import AAAA, EDNS0, QTYPE, RCODE, RR, SOA, A, DNSHeader, DNSLabel, DNSQuestion
from dnslib import DNSRecord as Message

from .question import Fault, Labels, Query, read
from .zone import Address, Zone

TTL = 5
"""Seconds an answer may be remembered: no longer than a changed one may go unnoticed."""

PAYLOAD = 1232
"""Bytes of UDP that we take and send at most: what every network carries in one piece."""

_PLAIN_PAYLOAD = 512
_RD, _CD = 0x0100, 0x0010
_BADVERS = 16
_TRANSFERS = {251, 252}
_SERIAL = 1


class Transport(IntEnum):
    """What the query came by, as the bytes that an answer may have."""

    UDP = PAYLOAD
    TCP = 65535


def answer(message: bytes, zone: Zone, transport: Transport) -> bytes | None:
    """Return what to answer to `message`, None for nothing. Never raises."""
    match read(message):
        case None:
            return None
        case Fault() as fault:
            return _packed(Message(_header(fault, rcode=fault.rcode)))
        case Query() as query:
            reply = _reply(query, zone)
    packed = _packed(reply)
    if len(packed) <= _room(query, transport):
        return packed
    reply.header.tc = 1
    reply.rr, reply.auth = [], []
    return _packed(reply)


def _reply(query: Query, zone: Zone) -> Message:
    if query.edns and query.edns.version:
        return _blank(query, _BADVERS)
    addresses = zone.addresses(query.name)
    if addresses is None or query.space != 1 or query.kind in _TRANSFERS:
        return _blank(query, RCODE.REFUSED)
    reply = _blank(query, RCODE.NOERROR)
    reply.header.aa = reply.header.ra = 1
    records = _records(query, addresses)
    reply.add_answer(*records)
    if not records:
        reply.add_auth(_soa(zone.apex(query.name)))
    return reply


def _blank(query: Query, rcode: int) -> Message:
    question = DNSQuestion(DNSLabel(query.name), query.kind, query.space)
    reply = Message(_header(query, rcode=rcode & 0xF), q=question)
    if query.edns:
        flags = "do" if query.edns.dnssec else ""
        reply.add_ar(EDNS0(DNSLabel(()), ext_rcode=rcode >> 4, flags=flags, udp_len=PAYLOAD))
    return reply


def _header(asked: Query | Fault, rcode: int) -> DNSHeader:
    opcode = asked.flags >> 11 & 0xF
    kept = asked.flags & (_RD | _CD)
    return DNSHeader(id=asked.id, bitmap=kept, qr=1, opcode=opcode, rcode=rcode)


def _records(query: Query, addresses: Iterable[Address]) -> list[RR]:
    name = DNSLabel(query.name)
    records = []
    for address in addresses:
        kind, data = (QTYPE.A, A) if address.version == 4 else (QTYPE.AAAA, AAAA)
        if query.kind in {kind, QTYPE.ANY}:
            records.append(RR(name, kind, ttl=TTL, rdata=data(tuple(address.packed))))
    return records


def _soa(apex: Labels) -> RR:
    name = DNSLabel(apex)
    times = (_SERIAL, 3600, 600, 86400, TTL)
    return RR(name, QTYPE.SOA, ttl=TTL, rdata=SOA(name, DNSLabel("nobody.invalid"), times))


def _room(query: Query, transport: Transport) -> int:
    if transport is Transport.TCP:
        return transport
    asked = query.edns.payload if query.edns else 0
    return min(max(asked, _PLAIN_PAYLOAD), transport)


def _packed(reply: Message) -> bytes:
    return bytes(reply.pack())
