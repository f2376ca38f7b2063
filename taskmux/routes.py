"""Names under which tasks are reached."""

from __future__ import annotations

from collections.abc import Iterable

TLD = "localhost"


def hostname(session: str, host: str, tld: str = TLD) -> str | None:
    """Return the name of a task whose `host` that is; None for `*`, which stands for many."""
    match host:
        case "*":
            return None
        case "@":
            return f"{session}.{tld}"
    return f"{host}.{session}.{tld}"


def hostnames(session: str, hosts: Iterable[str | None], tld: str = TLD) -> list[str]:
    """Return every name that the tasks of a project have; None is the host of one without any."""
    names = (hostname(session, host, tld) for host in hosts if host is not None)
    return [name for name in names if name is not None]
