"""Whether names of ours resolve on this machine, found out as a program would."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from anyio.from_thread import start_blocking_portal

from .asking import NoAnswer, ask
from .resolver import serving
from .settings import DnsSettings
from .sockets import PortDenied, PortTaken

LIMIT = 10.0
"""Seconds for the system to resolve a name: it may ask others first."""

_LOCAL = {"127.0.0.1", "::1"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of asking the system for `name`, a random one below our domain."""

    name: str
    addresses: tuple[str, ...]
    detail: str

    @property
    def ok(self) -> bool:
        """Whether the name leads to this machine, and nowhere else."""
        return bool(self.addresses) and _LOCAL.issuperset(self.addresses)


def self_test(settings: DnsSettings) -> Tested:
    """Ask the system for a name that only we can know.

    Where no daemon answers on our port, this program does meanwhile.
    """
    name = f"taskmux-{secrets.token_hex(6)}.{settings.tld}"
    try:
        with _answered(name, settings):
            addresses, why = _resolved(name)
    except (PortTaken, PortDenied) as trouble:
        return Tested(name, (), f"not tested: {trouble}")
    return Tested(name, addresses, why or f"{name} resolves to {', '.join(addresses)}")


@contextmanager
def _answered(name: str, settings: DnsSettings) -> Iterator[None]:
    try:
        ask(name, "A", settings.port, "udp")
        yield
        return
    except NoAnswer:
        pass
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(settings, log)),
    ):
        yield


def _resolved(name: str) -> tuple[tuple[str, ...], str]:
    """Return addresses, or none and why."""
    found: list[str] = []
    failed: list[str] = []

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(info[4][0]) for info in infos))
        except OSError as error:
            failed.append(f"{name} does not resolve: {error.strerror}")

    # Nothing else bounds a lookup; the thread ends with the program, if not before.
    thread = Thread(target=look_up, name="self-test", daemon=True)
    thread.start()
    thread.join(LIMIT)
    late = f"{name} does not resolve within {LIMIT:g} s"
    return tuple(found), "" if found else (failed or [late])[0]
