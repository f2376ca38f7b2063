"""The sockets that only root can bind."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from taskmux.daemon.listeners import Listener

from .survey import Survey

BACKLOG = 1024
"""Connections that wait while the daemon changes its program."""

_NO_SUCH = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""What a machine without IPv6 answers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a socket is wanted, and what for."""

    use: str
    address: str
    port: int

    def __str__(self) -> str:
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


def wanted(survey: Survey) -> list[Place]:
    """Return what is to be bound and is not held by the user's daemon yet. Pure."""
    held = set(survey.held)
    ports = {"https": survey.https, "http": survey.http}
    places = (
        Place(use, address, port)
        for use, port in ports.items()
        if port
        for address in addresses(survey.bind)
    )
    return [place for place in places if (place.address, place.port) not in held]


def addresses(bind: str) -> list[str]:
    """Return what `proxy_bind` stands for: a loopback, or all there is, is so of both families."""
    address = ip_address(bind)
    if address.is_loopback and str(address) in ("127.0.0.1", "::1"):
        return ["127.0.0.1", "::1"]
    return ["0.0.0.0", "::"] if address.is_unspecified else [str(address)]


def exists(address: str) -> bool:
    """Return whether this machine has that address: not every one has IPv6."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True


def bind(places: list[Place]) -> tuple[list[Listener], list[str]]:
    """Return a socket that listens for each place, and for each that can't be had, why."""
    found, complaints = list[Listener](), list[str]()
    for place in places:
        try:
            found.append(Listener(place.use, _listen(place)))
        except OSError as error:
            if error.errno not in _NO_SUCH or ":" not in place.address:
                complaints.append(f"{place} cannot be bound: {error.strerror}")
    return found, complaints


def _listen(place: Place) -> int:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((place.address, place.port))
        made.listen(BACKLOG)
        return made.detach()
