"""The port each task is told to listen on: one for one, and the same as last time if possible."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from zlib import crc32

from taskmux.errors import NoFreePort
from taskmux.scarcity import scarce

from . import native

RANGE = range(20000, 32768)
"""Below what systems give to outgoing connections, above what most servers default to."""

# Browsers refuse to connect to these (the Fetch standard's "bad ports"; those below 1024 left
# out, which no task of ours can have anyway).
BLOCKED = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    | set(range(6665, 6670))
)

# Defaults of programs that people run beside their tasks, or as one:
# Fluentd, Minecraft, CockroachDB, Redis Sentinel, MongoDB, RethinkDB, Plex.
EXPECTED = frozenset({24224, 25565, 26257, 26379, 27017, 27018, 27019, 28015, 29015, 32400})

UNWANTED = BLOCKED | EXPECTED

ADDRESSES = (
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET, "0.0.0.0"),
    (socket.AF_INET6, "::1"),
    (socket.AF_INET6, "::"),
)

ABSENT = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
"""What a machine without IPv6 answers."""


class Ports:
    """Who has which port. An owner is any text that stays the same, such as `shop/api`.

    `salt` keeps tables that do not know of each other, such as those of two
    users' daemons, from preferring the same ports for owners of the same name.
    Handed out are ports `among` these that nobody else is likely to want.
    """

    def __init__(self, salt: str = "", *, among: range = RANGE) -> None:
        self._salt = salt
        self._among = among
        self._taken: dict[str, int] = {}

    def wish(self, owner: str, preferred: int | None = None) -> int | None:
        """Return the port `take` would return if all were free; None if it has none left."""
        others = {port for name, port in self._taken.items() if name != owner}
        return next((p for p in self._candidates(owner, preferred) if p not in others), None)

    def take(self, owner: str, preferred: int | None = None) -> int:
        """Reserve a free port for `owner`, in place of any it had, and return it.

        That is the one it has, else `preferred`, else one derived from its name, if
        those are free. Raise `NoFreePort` when none is.
        """
        others = {port for name, port in self._taken.items() if name != owner}
        for port in self._candidates(owner, preferred):
            if port not in others and self.free(port):
                self._taken[owner] = port
                return port
        raise NoFreePort(owner)

    def keep(self, owner: str, port: int) -> None:
        """Reserve `port` for `owner`, who may be listening on it."""
        self._taken[owner] = port

    def rename(self, before: str, after: str) -> None:
        """Let owners that began with `before` begin with `after`."""
        self._taken = {
            after + name.removeprefix(before) if name.startswith(before) else name: port
            for name, port in self._taken.items()
        }

    def release(self, owner: str) -> None:
        """Let others have the port of `owner`, if it has one."""
        self._taken.pop(owner, None)

    @staticmethod
    def free(port: int) -> bool:
        """Return whether nobody listens on a port, at any address a task might use."""
        return all(_bindable(family, address, port) for family, address in ADDRESSES)

    def _candidates(self, owner: str, preferred: int | None) -> Iterator[int]:
        if owner in self._taken:
            yield self._taken[owner]
        if preferred is not None and 1024 <= preferred <= 65535 and preferred not in BLOCKED:
            yield preferred
        ephemeral = native.ephemeral_ports()
        if all(port in ephemeral for port in (self._among[0], self._among[-1])):
            ephemeral = range(0)  # where all of them are, these are as good as any
        # `hash` would differ from process to process.
        begin = crc32((self._salt + owner).encode(errors="surrogateescape")) % len(self._among)
        for port in (*self._among[begin:], *self._among[:begin]):
            if port not in ephemeral and port not in UNWANTED:
                yield port


def _bindable(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Without it, connections that a server closed would keep its port for a minute.
            # It does not let anybody share a port that is listened on.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno in ABSENT or scarce(error)  # then nobody could be asked
    return True
