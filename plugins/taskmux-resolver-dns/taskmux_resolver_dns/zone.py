"""Which addresses a name has: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from .question import Labels

if TYPE_CHECKING:
    from taskmux.contracts import HostRecord

Address = IPv4Address | IPv6Address

LOOPBACK: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


@dataclass(frozen=True, slots=True)
class Zone:
    """The names that are ours: those published, and all below `tld`, itself included."""

    tld: Labels
    here: tuple[Address, ...]
    """What this machine is reached by."""

    published: Mapping[Labels, tuple[Address, ...]]

    def addresses(self, name: Labels) -> tuple[Address, ...] | None:
        """Return the addresses of `name`, in any case; None for a name that is not ours."""
        name = lower(name)
        if name in self.published:
            return self.published[name]
        return self.here if self._below(name) else None

    def apex(self, name: Labels) -> Labels:
        """Return what speaks for one of our names where there is nothing to say of it."""
        return self.tld if self._below(lower(name)) else name

    def _below(self, name: Labels) -> bool:
        return name[len(name) - len(self.tld) :] == self.tld


def zone_of(tld: str, records: Iterable[HostRecord], ipv6: bool) -> Zone:
    """Return the zone that holds `records`.

    A record of a loopback address, 127.0.0.1 or ::1, says that the name is on this machine,
    which is then reached by both, or by IPv4 alone without `ipv6`. Another address counts
    as it is, and the name has none of the other family.
    """
    here = LOOPBACK if ipv6 else LOOPBACK[:1]
    published: dict[Labels, tuple[Address, ...]] = {}
    for record in records:
        name = labels_of(record.name)
        added = here if record.address in LOOPBACK else (record.address,)
        published[name] = tuple(dict.fromkeys((*published.get(name, ()), *added)))
    return Zone(labels_of(tld), here, published)


def labels_of(name: str) -> Labels:
    """Return the labels of a name as people write it."""
    return lower(tuple(name.encode().strip(b".").split(b".")))


def lower(name: Labels) -> Labels:
    """Return `name` as names are compared."""
    return tuple(label.lower() for label in name)
