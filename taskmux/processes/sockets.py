"""The kernel's table of TCP sockets, `/proc/net/tcp` and `/proc/net/tcp6`, read as text. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

ESTABLISHED = 0x01
LISTEN = 0x0A

End = tuple[bytes, int]
"""Address as the kernel writes it, and port."""


@dataclass(frozen=True, slots=True)
class Socket:
    """One end of a connection, or a listener. `inode` is 0 once its owner has closed it."""

    local: End
    remote: End
    uid: int
    inode: int


def parse_sockets(table: bytes, state: int) -> Iterator[Socket]:
    """Yield the sockets in `state`, which is a number of the kernel's."""
    wanted = b"%02X" % state
    for line in table.splitlines()[1:]:
        field = line.split()
        if field[3] == wanted:
            yield Socket(_end(field[1]), _end(field[2]), int(field[7]), int(field[9]))


def spellings(host: str, port: int) -> set[End]:
    """Return how the kernel may write one end of a loopback connection; nothing for others.

    127.0.0.1 is also `::ffff:127.0.0.1` to whoever opened an IPv6 socket.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return set()
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_loopback:
        return set()
    if isinstance(address, IPv4Address):
        mapped = IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
        return {(_hex(address.packed), port), (_hex(mapped.packed), port)}
    return {(_hex(address.packed), port)}


def _end(text: bytes) -> End:
    address, _, port = text.partition(b":")
    return address, int(port, 16)


def _hex(packed: bytes) -> bytes:
    # In words of four bytes, each printed as a number of the machine's own byte order.
    words = (int.from_bytes(packed[i : i + 4], sys.byteorder) for i in range(0, len(packed), 4))
    return b"".join(b"%08X" % word for word in words)
