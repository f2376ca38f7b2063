from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskmux_resolver_hosts.entries import BadEntry, Entry, as_lines, check_own, missing, overruled


def entry(name: str, address: str = "127.0.0.1") -> Entry:
    return Entry(name, ip_address(address))


def test_lines_hold_one_name_each_and_are_in_order() -> None:
    entries = [
        entry("web.localhost", "::1"), entry("web.localhost", "127.0.0.10"),
        entry("api.localhost"), entry("web.localhost", "127.0.0.9"), entry("api.localhost"),
    ]  # fmt: skip
    lines = [
        b"127.0.0.1\tapi.localhost", b"127.0.0.9\tweb.localhost", b"127.0.0.10\tweb.localhost",
        b"::1\tweb.localhost",
    ]  # fmt: skip
    assert as_lines(entries) == lines
    assert as_lines(reversed(entries)) == lines


LONG = ".".join(["a" * 61] * 4)
"""247 characters."""


@pytest.mark.parametrize(
    "name", ["a", "shop.localhost", "a-b.9.x", "x" * 63, f"{LONG}.abcde", "xn--bcher-kva.localhost"]
)
def test_host_names_are_written(name: str) -> None:
    assert as_lines([entry(name)]) == [b"127.0.0.1\t" + name.encode()]


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "a.", ".a", "a..b", "A.localhost", "a_b.localhost", "-a", "a-", "x" * 64,
        f"{LONG}.abcdef", "a b", "a\nb", "a\n", "a\r", "a\tb", "a#b", "*.localhost", "127.0.0.1",
        "bücher.localhost", "a\0", "a.1", "\u0661.localhost", "\u2028",
    ],
)  # fmt: skip
def test_what_is_no_host_name_is_not(name: str) -> None:
    with pytest.raises(BadEntry):
        as_lines([entry("good.localhost"), entry(name)])


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%\n10.0.0.1 bank.example"])
def test_an_address_with_a_zone_is_not_written(address: str) -> None:
    with pytest.raises(BadEntry):
        as_lines([entry("a.localhost", address)])


letters = st.text("ab1", min_size=1)
odd = st.sampled_from([*"Z_*# \t\n\r\x0b\0\x85\xa0\u0661\u2028\uff0e"])
# Not any text there is: nearly none of that is a name, and tables of it take seconds to make.
names = st.text("ab1-.") | st.tuples(letters, odd, letters).map("".join)


@given(names, st.ip_addresses())
def test_a_line_is_one_address_and_one_name(name: str, address: object) -> None:
    try:
        [line] = as_lines([entry(name, str(address))])
    except BadEntry:
        return
    assert line.split() == [str(address).encode(), name.encode()]
    assert b"#" not in line


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "127.255.255.254", "::1"])
def test_root_writes_names_under_localhost_at_loopback(address: str) -> None:
    check_own([entry("api.shop.localhost", address), entry("shop.localhost", address)])


@pytest.mark.parametrize(
    "bad",
    [
        entry("localhost"), entry("example.com"), entry("localhost.example.com"),
        entry("alocalhost"), entry("a.localhost", "10.0.0.1"), entry("a.localhost", "0.0.0.0"),
        entry("a.localhost", "::"),
        entry("a.localhost", "::ffff:127.0.0.1"), entry("a.localhost", "::7f00:1"),
    ],
    ids=str,
)  # fmt: skip
def test_root_writes_nothing_else(bad: Entry) -> None:
    with pytest.raises(BadEntry):
        check_own([entry("good.localhost"), bad])


WANTED = [entry("api.localhost"), entry("api.localhost", "::1"), entry("web.localhost")]

BOTH = ["api.localhost", "web.localhost"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", BOTH),
        (b"127.0.0.1 api.localhost web.localhost", []),
        (b"\xef\xbb\xbf127.0.0.1\x0bother API.localhost\r\n127.0.0.1\tweb.localhost\r\n", []),
        (b"::1 api.localhost\n127.0.0.1 web.localhost # api", []),
        (b"0:0::1 api.localhost\n127.0.0.1 x # web.localhost", ["web.localhost"]),
        (b"#127.0.0.1 api.localhost\n127.0.0.1\n\n::1 web.localhost", BOTH),
        (b"127.0.0.2 api.localhost\n\xff api.localhost", BOTH),
        (b"127.0.0.1 xapi.localhost\xe2\x80\xa8web.localhost", BOTH),
    ],
)  # fmt: skip
def test_missing_are_names_that_lead_nowhere_wanted(content: bytes, expected: list[str]) -> None:
    assert missing(content, WANTED) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"127.0.0.1 api.localhost\n10.0.0.1 api.localhost", []),
        (b"10.0.0.1 api.localhost\n127.0.0.1 api.localhost", [entry("api.localhost", "10.0.0.1")]),
        (b"fd00::1 web.localhost\n127.0.0.1 web.localhost", [entry("web.localhost", "fd00::1")]),
        (b"10.0.0.1 other.localhost\n::1 web.localhost", []),
    ],
)
def test_overruled_are_names_that_lead_elsewhere_first(
    content: bytes, expected: list[Entry]
) -> None:
    assert overruled(content, WANTED) == expected


def test_what_is_wanted_overrules_nothing() -> None:
    wanted = [entry("printer.test", "10.0.0.2")]
    assert overruled(b"10.0.0.2 printer.test", wanted) == []
    assert overruled(b"10.0.0.1 printer.test", wanted) == [entry("printer.test", "10.0.0.1")]
