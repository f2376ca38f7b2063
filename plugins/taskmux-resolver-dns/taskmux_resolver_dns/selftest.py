"""Whether names of ours resolve on this machine, found out as a program would."""

from __future__ import annotations

import logging
import secrets
import socket
import time
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

PAUSE = 0.5
"""Seconds to the next try."""

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


def self_test(settings: DnsSettings, tries: int = 1) -> Tested:
    """Ask the system for a name that only we can know, up to so many times.

    Where no daemon answers on our port, this program does meanwhile.
    """
    try:
        with _answered(_random(settings.tld), settings):
            while not (tested := _tested(_random(settings.tld))).ok and tries > 1:
                time.sleep(PAUSE)
                tries -= 1
            return tested
    except (PortTaken, PortDenied) as trouble:
        return Tested(_random(settings.tld), (), f"not tested: {trouble}")


def _random(tld: str) -> str:
    return f"taskmux-{secrets.token_hex(6)}.{tld}"


def _tested(name: str) -> Tested:
    addresses, why = _resolved(name)
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
