"""Sockets that others bound for the daemon, which could not bind them again and keeps them open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from taskmux.wire import ListenerReport

USES = ("https", "http")
"""What a listener can be for: the proxy, and what redirects to it."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens, with what it is for: one of `USES`."""

    use: str
    descriptor: int

    @property
    def place(self) -> tuple[str, int]:
        """Its address and port."""
        with socket.socket(fileno=os.dup(self.descriptor)) as found:
            address, port, *_ = found.getsockname()
            return address, port


class Listeners:
    """Every socket that was bound for the daemon; open as long as the daemon lives.

    Whoever accepts connections on one takes it from here, and leaves it open.
    """

    def __init__(self, handed: Iterable[Listener] = ()) -> None:
        self._held: list[Listener] = []
        self.add(handed)

    def __iter__(self) -> Iterator[Listener]:
        return iter(self._held)

    def add(self, handed: Iterable[Listener]) -> None:
        """Hold these as well; one whose place is held already is closed."""
        places = {listener.place for listener in self._held}
        for listener in handed:
            if listener.place in places:
                os.close(listener.descriptor)
            else:
                self._held.append(listener)
                places.add(listener.place)

    def of(self, use: str) -> list[Listener]:
        """Return those that are for `use`."""
        return [listener for listener in self._held if listener.use == use]

    def report(self) -> list[ListenerReport]:
        """Return what is listened on, for whoever asks."""
        return [ListenerReport(listener.use, *listener.place) for listener in self._held]


def usable(use: str, descriptor: int) -> bool:
    """Return whether a descriptor that was inherited is a listener that has a use here."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as found:
            inet = found.family in (socket.AF_INET, socket.AF_INET6)
            listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            return use in USES and inet and bool(listens)
    except OSError:
        return False


def spoken(listeners: Sequence[Listener]) -> list[str]:
    """Return listeners as words of a command line; they are handed as descriptors as well."""
    return [f"--listener={one.use}={one.descriptor}" for one in listeners]


def heard(words: Iterable[str]) -> list[Listener]:
    """Return the listeners that `spoken` named, which no child inherits from now on."""
    pairs = (word.partition("=") for word in words)
    named = [Listener(use, int(number)) for use, _, number in pairs if number.isdecimal()]
    found = [one for one in named if usable(one.use, one.descriptor)]
    for listener in found:
        os.set_inheritable(listener.descriptor, False)
    return found
