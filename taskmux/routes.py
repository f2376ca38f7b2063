"""Names under which tasks are reached: all under .localhost, whoever resolves them.

Browsers lead nothing else to this machine, certificates are made for nothing else, and root
writes nothing else into a system's files. A resolver may answer for another domain besides.
"""

from __future__ import annotations

from collections.abc import Iterable

TLD = "localhost"
"""Below which every name is."""


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
