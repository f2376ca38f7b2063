"""Who has a port that is wanted, in words."""

from __future__ import annotations

from textwrap import shorten

from taskmux.processes import holder


def holder_of(port: int) -> str | None:
    """Return who listens on a TCP port of this machine; None if nobody does, or it is unknown."""
    found = holder(port)
    if found is None:
        return None
    if found.pid is None:
        return f"a program of user {found.uid}"
    return f"{shorten(found.command, 60, placeholder=' …')} (pid {found.pid}, user {found.uid})"
