"""What the commands of `taskmux dns` do, each as facts and a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .asking import Reply, ask
from .delegation import HOSTS
from .selftest import Tested, self_test
from .settings import DnsSettings
from .system import Ran, System

TRIES = 3
"""Lookups after a change, as a system may take a moment to notice it."""

Answer = tuple[dict[str, Any], str]


class NeedsRoot(Exception):
    """Only root may change how the system resolves names."""

    def __init__(self, command: str) -> None:
        super().__init__("only root may change how this system resolves names")
        self.add_note(f"run `{command}`")


def install(system: System, settings: DnsSettings, command: str) -> Answer:
    """Have the system ask us, then see whether it does; `command` does the same as root."""
    try:
        changed, done = system.install(settings.tld, settings.port)
    except PermissionError:
        raise NeedsRoot(command) from None
    flushed = system.flush() if changed else []
    tested = self_test(settings, tries=TRIES if changed else 1)
    facts = {
        "ok": tested.ok,
        "tld": settings.tld,
        "port": settings.port,
        "changed": changed,
        "detail": done,
        "flushed": [asdict(ran) for ran in flushed],
        "self_test": {"ok": tested.ok, **asdict(tested)},
    }
    return facts, "\n".join([done, *map(_told, flushed), *_verdict(tested)])


def uninstall(system: System, command: str) -> Answer:
    """Take back all that `install` ever did; `command` does the same as root."""
    try:
        removed = system.uninstall()
    except PermissionError:
        raise NeedsRoot(command) from None
    flushed = system.flush() if removed else []
    facts = {"ok": True, "removed": removed, "flushed": [asdict(ran) for ran in flushed]}
    lines = [f"removed {place}" for place in removed] or ["there was nothing of taskmux's"]
    return facts, "\n".join([*lines, *map(_told, flushed)])


def flush(system: System) -> Answer:
    """Empty the system's caches of names."""
    ran = system.flush()
    facts = {"ok": all(one.ok for one in ran), "ran": [asdict(one) for one in ran]}
    lines = [*map(_told, ran)] or ["this system keeps no cache of names that taskmux knows"]
    lines += [f"run `sudo {one.command}`" for one in ran if not one.ok]
    return facts, "\n".join(lines)


def query(settings: DnsSettings, name: str, kinds: Sequence[str]) -> Answer:
    """Ask our own server for `name`, by UDP and by TCP, past all caches."""
    replies = [
        ask(name, kind, settings.port, transport) for transport in ("udp", "tcp") for kind in kinds
    ]
    facts = {
        "ok": True,
        "name": name,
        "server": f"127.0.0.1:{settings.port}",
        "replies": [asdict(reply) for reply in replies],
    }
    return facts, "\n".join(line for reply in replies for line in _shown(reply))


def _shown(reply: Reply) -> list[str]:
    begin = f"{reply.transport}  {reply.type:<5}"
    if not reply.records:
        return [f"{begin} {reply.rcode}, no records"]
    return [f"{begin} {reply.rcode} {one.data}, for {one.ttl} s" for one in reply.records]


def _told(ran: Ran) -> str:
    return f"ran `{ran.command}`" if ran.ok else f"`{ran.command}` failed: {ran.detail}"


def _verdict(tested: Tested) -> list[str]:
    return [tested.detail] if tested.ok else [tested.detail, f"the system does not ask us: {HOSTS}"]
