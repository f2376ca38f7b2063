"""Where the proxy listens: at the port that it should have, or another."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from taskmux.proxy.server import bind
from taskmux.routes import Urls
from taskmux.scarcity import described
from taskmux.settings import Settings

from .listeners import Listener, Listeners
from .privileged.sockets import addresses, exists

UNPRIVILEGED = range(8443, 8453)
"""Where the proxy listens if it may not, or cannot, have the port that it should."""

LOW = 1024
"""Where the ports begin that anybody may bind, unless the system was told otherwise."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the proxy listens; without a port it does not, and `reason` says why."""

    port: int | None
    reason: str
    hint: str | None = None
    """What to do where that is not the port it should have."""

    @property
    def urls(self) -> Urls:
        """Where browsers find tasks."""
        return Urls(self.port)


def take_place(listeners: Listeners, settings: Settings) -> Place:
    """Have listeners for the proxy: those it was handed, or others that are bound now."""
    if not settings.proxy_enabled:
        return Place(None, "proxy_enabled is false in config.toml")
    where = addresses(settings.proxy_bind)
    where = [address for address in where if exists(address)] or where
    place = _take_https(listeners, where, settings.proxy_https_port)
    port = settings.proxy_http_redirect_port
    if place.port is not None and port and not listeners.of("http"):
        with suppress(OSError):  # nobody misses it who writes https
            listeners.add(Listener("http", one.detach()) for one in bind(where, port))
    return place


def held_everywhere(held: Iterable[tuple[str, int]], where: Sequence[str]) -> list[int]:
    """Return the ports that are held at each address, smallest first.

    At another one somebody else may answer, and browsers try them all.
    """
    ports = [{port for address, port in held if address == one} for one in where]
    return sorted(set.intersection(*ports))


def advice(wish: int, *, busy: bool) -> str:
    """Say how the proxy comes to the port that it should have; it is `busy` if others have it."""
    if busy or wish >= LOW:
        return f"`taskmux doctor` says who has port {wish}"
    return f"`sudo taskmux daemon restart` to have port {wish}"


def _take_https(listeners: Listeners, where: Sequence[str], wish: int) -> Place:
    held = held_everywhere([listener.place for listener in listeners.of("https")], where)
    trouble, busy = "", False
    for port in dict.fromkeys((wish or next(iter(held), 0), *held, *UNPRIVILEGED)):
        if port in held:
            return _taken(wish, port, trouble, busy=busy)
        try:
            found = bind(where, port)
            port = found[0].getsockname()[1]  # 0 was any
        except OSError as error:
            trouble = trouble or _refused(port, error)
            busy = busy or (port == wish and error.errno == errno.EADDRINUSE)
            if error.errno not in (errno.EACCES, errno.EADDRINUSE):
                break
        else:
            listeners.add(Listener("https", one.detach()) for one in found)
            return _taken(wish, port, trouble, busy=busy)
    return Place(None, trouble, advice(wish, busy=busy))


def _taken(wish: int, port: int, trouble: str, *, busy: bool) -> Place:
    if wish in (0, port):  # 0 is any
        return Place(port, f"on port {port}")
    return Place(port, trouble, advice(wish, busy=busy))


def _refused(port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is taken"
        case errno.EACCES:
            return f"port {port} may not be bound"
    return f"port {port} cannot be bound: {described(error)}"
