"""Which task a request is for, or why it is passed on to none."""

from __future__ import annotations

from .directory import Absence, Directory, Target
from .forward import MOST_HOPS, hops
from .requests import Request


def admit(request: Request, named: str | None, directory: Directory) -> Target | Absence:
    """Return who is asked; `named` is for whom the connection was opened, as far as is known."""
    if hops(request) >= MOST_HOPS:
        why = f"this request came through here {MOST_HOPS} times: the tasks ask each other"
        return Absence(508, "loop", why)
    if named is not None and named != request.host and _site(named) != _site(request.host):
        return Absence(421, "misdirected", f"this connection was opened for {named}")
    return directory.find(request.host)


def _site(host: str) -> str:
    """Return a project's name with its top-level domain."""
    return ".".join(host.rsplit(".", 2)[-2:])
