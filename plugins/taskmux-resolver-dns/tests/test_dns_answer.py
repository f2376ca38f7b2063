from __future__ import annotations

from ipaddress import ip_address

import pytest
from dnslib import (
    CLASS,
    EDNS0,
    OPCODE,
    QTYPE,
    RCODE,
    DNSHeader,
    DNSLabel,
    DNSQuestion,
    EDNSOption,
)
from dnslib import DNSRecord as Message
from hypothesis import example, given
from hypothesis import strategies as st
from taskmux_resolver_dns.answer import PAYLOAD, Transport, answer
from taskmux_resolver_dns.zone import Zone, zone_of

from taskmux.contracts import HostRecord

BOTH = ["127.0.0.1", "::1"]


def record(name: str, address: str) -> HostRecord:
    return HostRecord(name, ip_address(address))


ZONE = zone_of(
    "localhost",
    [
        record("Api.shop.localhost", "127.0.0.1"),
        record("six.shop.localhost", "::1"),
        record("own.shop.localhost", "127.0.0.2"),
        record("two.shop.localhost", "127.0.0.2"),
        record("two.shop.localhost", "fd00::1"),
        record("www.shop.test", "127.0.0.1"),
    ],
    ipv6=True,
)
WIDE = zone_of("test", [record("wide.test", f"10.0.{n}.1") for n in range(256)], ipv6=True)


def question(name: str, kind: str = "A", space: str = "IN") -> Message:
    asked = DNSQuestion(name, getattr(QTYPE, kind), getattr(CLASS, space))
    return Message(DNSHeader(id=4711, rd=1), q=asked)


def reply_to(query: Message, zone: Zone = ZONE, transport: Transport = Transport.UDP) -> Message:
    packed = answer(bytes(query.pack()), zone, transport)
    assert packed is not None
    assert len(packed) <= transport
    reply = Message.parse(packed)
    assert (reply.header.id, reply.header.qr) == (query.header.id, 1)
    return reply


def rcode(reply: Message) -> str:
    return str(RCODE[reply.header.rcode])


def data(reply: Message) -> list[str]:
    return [str(found.rdata) for found in reply.rr]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        pytest.param("api.shop.localhost", "A", ["127.0.0.1"], id="published"),
        pytest.param("api.shop.localhost", "AAAA", ["::1"], id="on this machine by both families"),
        pytest.param("api.shop.localhost", "ANY", BOTH, id="both at once"),
        pytest.param("six.shop.localhost", "ANY", BOTH, id="published by IPv6"),
        pytest.param("own.shop.localhost", "A", ["127.0.0.2"], id="an address of its own"),
        pytest.param("own.shop.localhost", "AAAA", [], id="and no other"),
        pytest.param("two.shop.localhost", "ANY", ["127.0.0.2", "fd00::1"], id="two of them"),
        pytest.param("www.shop.test", "A", ["127.0.0.1"], id="published elsewhere"),
        pytest.param("nobody.knows.localhost", "A", ["127.0.0.1"], id="catch-all"),
        pytest.param("nobody.knows.localhost", "AAAA", ["::1"], id="catch-all by IPv6"),
        pytest.param("below.own.shop.localhost", "A", ["127.0.0.1"], id="below a published one"),
        pytest.param("localhost", "A", ["127.0.0.1"], id="the domain itself"),
        pytest.param("*.localhost", "A", ["127.0.0.1"], id="a star"),
        pytest.param("a b.localhost", "A", ["127.0.0.1"], id="no host name"),
    ],
)
def test_a_name_of_ours_has_its_addresses(name: str, kind: str, expected: list[str]) -> None:
    reply = reply_to(question(name, kind))
    assert (rcode(reply), data(reply)) == ("NOERROR", expected)
    assert (reply.header.aa, reply.header.ra, reply.header.tc) == (1, 1, 0)
    assert all(found.rname == name and 0 <= found.ttl <= 5 for found in reply.rr)
    assert len(reply.auth) == (0 if expected else 1)


@pytest.mark.parametrize("kind", ["MX", "TXT", "HTTPS", "SVCB", "NS", "SOA", "CNAME", "SRV", "DS"])
def test_of_another_type_there_is_nothing(kind: str) -> None:
    reply = reply_to(question("api.shop.localhost", kind))
    assert (rcode(reply), reply.rr) == ("NOERROR", [])
    [soa] = reply.auth
    assert (soa.rname, soa.rtype) == ("localhost", QTYPE.SOA)
    assert max(soa.ttl, soa.rdata.times[4]) <= 5


def test_of_a_name_outside_the_domain_its_own_soa_says_so() -> None:
    [soa] = reply_to(question("www.shop.test", "MX")).auth
    assert soa.rname == "www.shop.test"


@pytest.mark.parametrize("name", ["example.com", "localhost.com", "notlocalhost", "shop.test", "."])
@pytest.mark.parametrize("kind", ["A", "AAAA", "MX", "ANY"])
def test_any_other_name_is_refused(name: str, kind: str) -> None:
    reply = reply_to(question(name, kind))
    assert (rcode(reply), reply.rr, reply.auth) == ("REFUSED", [], [])
    assert (reply.header.aa, reply.header.ra) == (0, 0)
    assert reply.q.qname == name


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(question("api.shop.localhost", space="CH"), id="chaos"),
        pytest.param(question("api.shop.localhost", space="*"), id="any class"),
        pytest.param(question("localhost", "AXFR"), id="transfer"),
        pytest.param(question("localhost", "IXFR"), id="partial transfer"),
    ],
)
def test_a_question_that_is_not_for_us_is_refused(query: Message) -> None:
    assert rcode(reply_to(query)) == "REFUSED"


@pytest.mark.parametrize("name", ["aPi.ShOp.LOCALHOST", "WWW.shop.Test", "X.LocalHost", "Com"])
def test_the_question_comes_back_in_its_own_case(name: str) -> None:
    reply = reply_to(question(name))
    labels = tuple(name.encode().split(b"."))
    assert reply.q.qname.label == labels
    assert all(found.rname.label == labels for found in reply.rr)


def test_without_ipv6_there_is_no_address_of_it() -> None:
    zone = zone_of("localhost", [record("api.localhost", "::1")], ipv6=False)
    for name in ("api.localhost", "other.localhost"):
        assert data(reply_to(question(name, "AAAA"), zone)) == []
        assert data(reply_to(question(name, "A"), zone)) == ["127.0.0.1"]


def test_a_domain_may_have_several_labels() -> None:
    zone = zone_of("shop.Test", [], ipv6=True)
    assert data(reply_to(question("a.SHOP.test"), zone)) == ["127.0.0.1"]
    for name in ("test", "ashop.test", "shop", "shop.test.test"):
        assert rcode(reply_to(question(name), zone)) == "REFUSED"


@pytest.mark.parametrize(("rd", "cd"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_what_the_asker_wished_comes_back(rd: int, cd: int) -> None:
    query = question("api.shop.localhost")
    query.header.rd, query.header.cd, query.header.ad, query.header.z = rd, cd, 1, 1
    header = reply_to(query).header
    assert (header.rd, header.cd, header.ad, header.z) == (rd, cd, 0, 0)


@pytest.mark.parametrize("opcode", ["IQUERY", "STATUS", "NOTIFY", "UPDATE"])
def test_only_lookups_are_implemented(opcode: str) -> None:
    query = question("localhost")
    query.header.opcode = OPCODE.reverse[opcode]
    reply = reply_to(query)
    assert (rcode(reply), reply.header.opcode) == ("NOTIMP", query.header.opcode)


# EDNS


def with_edns(query: Message, **said: object) -> Message:
    query.add_ar(EDNS0(DNSLabel(()), **said))
    return query


def test_edns_is_answered_with_edns() -> None:
    cookie = [EDNSOption(10, b"12345678"), EDNSOption(65001, b"")]
    query = with_edns(question("localhost"), udp_len=4096, flags="do", opts=cookie)
    [opt] = reply_to(query).ar
    assert (opt.rtype, opt.rname, opt.edns_len) == (QTYPE.OPT, ".", PAYLOAD)
    assert (opt.edns_ver, opt.edns_do, opt.edns_rcode, opt.rdata) == (0, 1, 0, [])


def test_who_says_nothing_of_edns_is_not_answered_with_it() -> None:
    assert reply_to(question("localhost")).ar == []


def test_edns_of_another_version_is_refused_by_number() -> None:
    reply = reply_to(with_edns(question("localhost"), version=1))
    assert (rcode(reply), reply.rr, reply.ar[0].edns_rcode) == ("NOERROR", [], 1)
    assert reply.ar[0].edns_ver == 0


@pytest.mark.parametrize(
    "owner", [b"\xc0\x0c", b"\x03key\xc0\x0c", b"\x3f" + b"k" * 63 + b"\x00", b"\x00"]
)
def test_a_signature_behind_the_question_is_passed_over(owner: bytes) -> None:
    query = counts(PLAIN + owner + SIGNATURE + OPT, others=2)
    packed = answer(query, ZONE, Transport.UDP)
    assert packed is not None
    reply = Message.parse(packed)
    assert data(reply) == ["127.0.0.1"]
    assert [found.rtype for found in reply.ar] == [QTYPE.OPT]


def test_as_many_records_as_anybody_sends_are_passed_over() -> None:
    packed = answer(counts(PLAIN + (b"\x00" + SIGNATURE) * 4, others=4), ZONE, Transport.UDP)
    assert packed is not None
    assert data(Message.parse(packed)) == ["127.0.0.1"]


# Sizes


@pytest.mark.parametrize(
    ("payload", "room"), [(None, 512), (0, 512), (100, 512), (700, 700), (65535, PAYLOAD)]
)
def test_what_does_not_fit_is_cut_and_says_so(payload: int | None, room: int) -> None:
    query = question("wide.test")
    if payload is not None:
        query = with_edns(query, udp_len=payload)
    packed = answer(bytes(query.pack()), WIDE, Transport.UDP)
    assert packed is not None
    assert len(packed) <= room
    reply = Message.parse(packed)
    assert (reply.header.tc, reply.rr, reply.q.qname) == (1, [], "wide.test")
    assert len(reply.ar) == (0 if payload is None else 1)


def test_by_tcp_everything_fits() -> None:
    reply = reply_to(question("wide.test"), WIDE, Transport.TCP)
    assert (reply.header.tc, len(reply.rr)) == (0, 256)


def test_the_longest_name_is_answered() -> None:
    name = ".".join(["x" * 63] * 3 + ["x" * 51, "localhost"])
    assert len(name) == 253
    assert data(reply_to(question(name))) == ["127.0.0.1"]


# What is no query


def counts(message: bytes, questions: int = 1, answers: int = 0, others: int = 0) -> bytes:
    fields = (questions, answers, 0, others)
    return message[:4] + b"".join(n.to_bytes(2, "big") for n in fields) + message[12:]


PLAIN = bytes(question("api.localhost").pack())
HEADER = counts(PLAIN)[:12]
KIND = b"\x00\x01\x00\x01"
SIGNATURE = b"\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x02ab"
OPT = b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
LONG = (b"\x3f" + b"a" * 63) * 3


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(PLAIN[:2], id="nothing but an identifier"),
        pytest.param(PLAIN[:11], id="half a header"),
        pytest.param(PLAIN[:12], id="a header alone"),
        pytest.param(PLAIN[:-1], id="cut"),
        pytest.param(PLAIN[:20], id="cut in the name"),
        pytest.param(counts(PLAIN, questions=0), id="no question"),
        pytest.param(counts(PLAIN + PLAIN[12:], questions=2), id="two questions"),
        pytest.param(counts(PLAIN, answers=1), id="an answer in it"),
        pytest.param(counts(PLAIN, others=1), id="a record that is not there"),
        pytest.param(counts(PLAIN + OPT * 2, others=2), id="EDNS twice"),
        pytest.param(counts(PLAIN + b"\x01a" + OPT, others=1), id="EDNS of a name"),
        pytest.param(counts(PLAIN + OPT[:-1] + b"\x05", others=1), id="EDNS cut"),
        pytest.param(counts(PLAIN + (b"\x00" + SIGNATURE) * 5, others=5), id="many records"),
        pytest.param(
            counts(PLAIN + b"\x40" + b"a" * 64 + b"\0" + SIGNATURE, others=1),
            id="a record of a label of 64",
        ),
        pytest.param(HEADER + LONG + b"\x3e" + b"a" * 62 + b"\0" + KIND, id="a name of 256"),
        pytest.param(HEADER + b"\xc0\x0c" + KIND, id="a name that points to itself"),
        pytest.param(HEADER + b"\xc0\x00" + KIND, id="a name that points to the header"),
        pytest.param(HEADER + b"\x01a\xc0\x0c" + KIND, id="a loop"),
        pytest.param(HEADER + b"\x01a\xc0\x0e" + KIND, id="a name that points ahead"),
        pytest.param(HEADER + b"\x40" + b"a" * 64 + b"\0" + KIND, id="a label of 64"),
        pytest.param(HEADER + (b"\x3f" + b"a" * 63) * 4 + b"\0" + KIND, id="a name of 257"),
        pytest.param(HEADER + b"\x01a" * 127 + b"\x01a\0" + KIND, id="a name of 258"),
    ],
)
def test_what_cannot_be_read_is_told_so(message: bytes) -> None:
    packed = answer(message, ZONE, Transport.UDP)
    assert packed is not None
    reply = Message.parse(packed)
    assert (reply.header.id, rcode(reply), reply.questions) == (4711, "FORMERR", [])


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x12", id="not even an identifier"),
        pytest.param(bytes(question("localhost").reply().pack()), id="an answer"),
        pytest.param(b"\x12\x67\x80", id="the beginning of an answer"),
    ],
)
def test_what_is_no_query_gets_no_answer(message: bytes) -> None:
    assert answer(message, ZONE, Transport.UDP) is None
    assert answer(message, ZONE, Transport.TCP) is None


def test_a_header_alone_is_answered_as_it_asked() -> None:
    packed = answer(PLAIN[:12], ZONE, Transport.UDP)
    assert packed is not None
    assert Message.parse(packed).header.rd == 1


def test_labels_that_are_no_text_are_names_too() -> None:
    name = b"\x03\xff\x00." + b"\x09localhost\x00"
    packed = answer(HEADER + name + KIND, ZONE, Transport.UDP)
    assert packed is not None
    assert packed[12 : 12 + len(name)] == name
    assert packed.endswith(bytes([127, 0, 0, 1]))


LABELS = st.binary(min_size=1, max_size=63)
NAMES = st.lists(LABELS, max_size=5).map(lambda labels: (*labels, b"localhost"))
HEADERS = st.builds(
    lambda number, flags, some: number + flags + bytes([0, some[0], 0, some[1], 0, 0, 0, some[2]]),
    st.binary(min_size=2, max_size=2),
    st.sampled_from([b"\x01\x00", b"\x00\x00", b"\x01\x10", b"\x08\x00", b"\x81\x80"]),
    st.tuples(*[st.integers(0, 2)] * 3),
)
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from([b"\x09localhost\x00", b"\x00", b"\xc0\x0c", b"\xc0\x10", KIND, OPT]),
    ),
    max_size=12,
).map(b"".join)


def check(message: bytes, packed: bytes | None, transport: Transport) -> None:
    silent = len(message) < 2 or (len(message) > 2 and message[2] >= 0x80)
    assert (packed is None) is silent
    if packed is not None:
        assert packed[:2] == message[:2]
        assert packed[2] & 0x80
        assert 12 <= len(packed) <= transport


@given(message=st.binary(max_size=600), transport=st.sampled_from(Transport))
@example(message=HEADER + b"\x01a\xc0\x0e" + KIND, transport=Transport.UDP)
def test_no_bytes_raise(message: bytes, transport: Transport) -> None:
    check(message, answer(message, ZONE, transport), transport)


@given(header=HEADERS, rest=PIECES, transport=st.sampled_from(Transport))
def test_no_likely_bytes_raise(header: bytes, rest: bytes, transport: Transport) -> None:
    check(header + rest, answer(header + rest, WIDE, transport), transport)


@given(labels=NAMES)
def test_every_name_below_the_domain_resolves(labels: tuple[bytes, ...]) -> None:
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    packed = answer(HEADER + wire + KIND, ZONE, Transport.UDP)
    assert packed is not None
    if len(wire) > 255:
        assert packed[3] & 0xF == RCODE.FORMERR
    else:
        assert packed[12 : 12 + len(wire)] == wire
        assert packed[-4:] == bytes([127, 0, 0, 1])
