"""The sockets we listen on, bound and given back."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

BACKLOG = 128

_MISSING = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""What a system without IPv6 says of ::1."""


class PortTaken(Exception):
    """Somebody else listens where we should."""

    def __init__(self, port: int, where: str) -> None:
        super().__init__(f"port {port} of {where} is taken by another program")
        self.add_note(f"`sudo lsof -nP -i :{port}` names it; dns_server_port sets another port")


class PortDenied(Exception):
    """This user may not listen on a port below 1024."""

    def __init__(self, port: int) -> None:
        super().__init__(f"this user may not listen on port {port}")
        self.add_note("set dns_server_port to one above 1023: 5454 is the default")


@dataclass(frozen=True, slots=True)
class Sockets:
    """Bound sockets. `ipv6` tells whether ::1 is among them."""

    udp: tuple[socket.socket, ...]
    tcp: tuple[socket.socket, ...]
    ipv6: bool


@contextmanager
def listening(port: int) -> Iterator[Sockets]:
    """Hold `port` of 127.0.0.1 and, where there is IPv6, of ::1, for UDP and for TCP.

    Raises `PortTaken`, `PortDenied` or `OSError`.
    """
    with ExitStack() as held:
        found = [_pair(held, socket.AF_INET, "127.0.0.1", port)]
        try:
            found.append(_pair(held, socket.AF_INET6, "::1", port))
        except OSError as error:
            if error.errno not in _MISSING:
                raise
        udp, tcp = zip(*found, strict=True)
        yield Sockets(udp, tcp, ipv6=len(found) == 2)


def _pair(
    held: ExitStack, family: socket.AddressFamily, address: str, port: int
) -> tuple[socket.socket, socket.socket]:
    try:
        udp = held.enter_context(_bound(family, socket.SOCK_DGRAM, address, port))
        tcp = held.enter_context(_bound(family, socket.SOCK_STREAM, address, port))
        tcp.listen(BACKLOG)
    except OSError as error:
        match error.errno:
            case errno.EADDRINUSE:
                raise PortTaken(port, address) from None
            case errno.EACCES:
                raise PortDenied(port) from None
        raise
    return udp, tcp


def _bound(
    family: socket.AddressFamily, kind: socket.SocketKind, address: str, port: int
) -> socket.socket:
    bound = socket.socket(family, kind)
    try:
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:  # connections of the daemon before may linger
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except BaseException:
        bound.close()
        raise
    return bound
