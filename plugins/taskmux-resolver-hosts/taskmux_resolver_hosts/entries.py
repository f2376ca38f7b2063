"""Names and their addresses: as lines of a hosts file, and as found in one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

from .block import UTF8

Address = IPv4Address | IPv6Address

LOOPBACK: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
"""Where the proxy listens.

Names get both: whoever finds only the first in the file asks a name server for the other, which
on macOS takes seconds. A machine without IPv6 refuses ::1 at once, and 127.0.0.1 is taken.
"""

_IPV4_LOOPBACK = IPv4Network("127.0.0.0/8")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One name, and one of the addresses it stands for."""

    name: str
    address: Address


class BadEntry(ValueError):
    """What may not be written into a hosts file."""


def as_lines(entries: Iterable[Entry]) -> list[bytes]:
    """Return the lines for `entries`, in an order of their own; raise `BadEntry`."""
    distinct = set(entries)
    for entry in distinct:
        _check_name(entry.name)
        _check_address(entry.address)
    ordered = sorted(distinct, key=lambda it: (it.name, it.address.version, int(it.address)))
    # One name a line: Windows reads no more than nine.
    return [f"{entry.address}\t{entry.name}".encode() for entry in ordered]


def check_own(entries: Iterable[Entry]) -> None:
    """Raise `BadEntry` for a name not under .localhost, or an address that is not of loopback.

    Who decides about `entries` must not decide, by way of root, where example.com leads.
    """
    for name, address in ((entry.name, entry.address) for entry in entries):
        if not name.endswith(".localhost"):
            raise BadEntry(f"{name!r} is not a name under .localhost")
        if address != LOOPBACK[1] and address not in _IPV4_LOOPBACK:
            raise BadEntry(f"{name} may not lead to {address}, which is not an address of loopback")


def missing(content: bytes, entries: Sequence[Entry]) -> list[str]:
    """Return the names that `content` maps to none of the addresses wanted, in order."""
    found, wanted = _mapped(content, entries), _wanted(entries)
    return sorted(name for name in wanted if not wanted[name] & {*found.get(name, ())})


def overruled(content: bytes, entries: Sequence[Entry]) -> list[Entry]:
    """Return what leads the names wanted elsewhere, in lines before those wanted.

    Of several lines for a name, most systems take the first.
    """
    found, wanted = _mapped(content, entries), _wanted(entries)
    firsts: dict[tuple[str, int], Address] = {}
    for name, addresses in found.items():
        for address in addresses:
            firsts.setdefault((name, address.version), address)
    return [
        Entry(name, first)
        for (name, _), first in sorted(firsts.items())
        if first not in wanted[name] and first not in LOOPBACK
    ]


def _wanted(entries: Iterable[Entry]) -> Mapping[str, set[Address]]:
    wanted: dict[str, set[Address]] = {}
    for entry in entries:
        wanted.setdefault(entry.name, set()).add(entry.address)
    return wanted


def _mapped(content: bytes, entries: Iterable[Entry]) -> Mapping[str, Sequence[Address]]:
    """Return the addresses of each name of `entries` that has any, in the order of the lines."""
    names = {entry.name.encode() for entry in entries}
    mapped: dict[str, list[Address]] = {}
    for line in content.removeprefix(UTF8).split(b"\n"):
        address, *given = line.partition(b"#")[0].lower().split() or [b""]
        # Few lines of a long file are about ours, and reading an address takes its time.
        for name in names.intersection(given):
            if (read := _address(address)) is not None:
                mapped.setdefault(name.decode(), []).append(read)
    return mapped


def _address(text: bytes) -> Address | None:
    try:
        return ip_address(text.decode("ascii"))
    except ValueError:
        return None


def _check_name(name: str) -> None:
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise BadEntry(f"{name!r} is not a host name: labels of a-z, 0-9 and - joined by dots")


def _check_address(address: Address) -> None:
    # A zone may be any text whatever, line feeds included.
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise BadEntry(f"{str(address)!r} has a zone, which a hosts file cannot hold")
