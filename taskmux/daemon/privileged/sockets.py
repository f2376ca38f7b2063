"""The sockets that only root can bind."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from taskmux.daemon.listeners import Listener
from taskmux.daemon.occupant import holder_of

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
    return trial(Place("", address, 0)) is None


def trial(place: Place) -> OSError | None:
    """Return why a place cannot be bound; None if it can. Nothing is kept."""
    try:
        with _bound(place):
            return None
    except OSError as error:
        return error


def absent(place: Place, error: OSError) -> bool:
    """Return whether the machine has no such place at all, as one without IPv6."""
    return error.errno in _NO_SUCH and ":" in place.address


def bind(places: list[Place]) -> tuple[list[Listener], list[str]]:
    """Return a socket that listens for each place, and for each that can't be had, why."""
    found, complaints = list[Listener](), list[str]()
    for place in places:
        try:
            found.append(Listener(place.use, _listen(place)))
        except OSError as error:
            if not absent(place, error):
                complaints.append(f"{place} cannot be bound: {_why(error, place.port)}")
    return found, complaints


def _why(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE and (name := holder_of(port)) is not None:
        return f"{name} listens there"
    return error.strerror or str(error)


def _listen(place: Place) -> int:
    with _bound(place) as made:
        made.listen(BACKLOG)
        return made.detach()


def _bound(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((place.address, place.port))
    except OSError:
        made.close()
        raise
    return made
