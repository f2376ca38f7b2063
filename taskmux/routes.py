"""Names under which tasks are reached: all under .localhost, whoever resolves them.

Browsers lead nothing else to this machine, certificates are made for nothing else, and root
writes nothing else into a system's files. A resolver may answer for another domain besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Who = TypeVar("Who")

TLD = "localhost"
"""Below which every name is."""

LONGEST = 253
"""Characters of a host name."""

# Underscores, which no host has by RFC 952, are common in names of tenants.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def hostname(session: str, host: str) -> str | None:
    """Return the name of a task whose `host` that is; None for `*`, which stands for many."""
    match host:
        case "*":
            return None
        case "@":
            return f"{session}.{TLD}"
    return f"{host}.{session}.{TLD}"


def hostnames(session: str, hosts: Iterable[str | None]) -> list[str]:
    """Return every name that the tasks of a project have; None is the host of one without any."""
    names = (hostname(session, host) for host in hosts if host is not None)
    return [name for name in names if name is not None]


def place(host: str) -> tuple[str, str] | None:
    """Return what comes before a project's name in a host name, and that; None for another's.

    The first is empty for the project's own name. None also for what is no host name at all.
    """
    name, dot, tld = host.rpartition(".")
    if tld != TLD or not dot or len(host) > LONGEST or not all(map(_fits, name.split("."))):
        return None
    before, _, session = name.rpartition(".")
    return before, session


def _fits(label: str) -> bool:
    return _LABEL.fullmatch(label) is not None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a host: a task, or an alias, which is a name for a port that is no task's."""

    name: str
    alias: bool = False


def shared_out(tasks: Mapping[str, str], aliases: Mapping[str, str]) -> dict[str, Holder]:
    """Return who has each host; both say by host who wants it. A task goes before an alias."""
    rest = {host: name for host, name in aliases.items() if host not in tasks}
    having = {host: Holder(name) for host, name in tasks.items()}
    return having | {host: Holder(name, alias=True) for host, name in rest.items()}


def owner(before: str, hosts: Mapping[str, Who]) -> Who | None:
    """Return whose name that is; `hosts` says of each `host` who has it. See `place`.

    Who has it exactly goes before who has all of them.
    """
    return hosts.get(before or "@") or (hosts.get("*") if before else None)


@dataclass(frozen=True, slots=True)
class Urls:
    """Where browsers find tasks."""

    port: int | None = None
    """The proxy's; None if there is none."""

    def of(self, session: str, host: str | None) -> str | None:
        """Return the address of a task whose `host` that is; None if it has not one."""
        name = None if host is None else hostname(session, host)
        if name is None or self.port is None:
            return None
        return f"https://{name}" if self.port == 443 else f"https://{name}:{self.port}"
