"""Names that a certificate can be asked for by hand. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from taskmux.errors import NotLocal
from taskmux.routes import TLD

LONGEST = 253
"""Characters of a host name (RFC 1035)."""

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?P<wild>\*\.)?({_LABEL}\.)*{_LABEL}")


def mintable(names: Sequence[str]) -> tuple[str, ...]:
    """Return names as certificates have them, each once; raise `NotLocal` for another's."""
    return tuple(dict.fromkeys(_mintable(name) for name in names))


def of_project(session: str) -> tuple[str, str]:
    """Return the names that cover a project: its own, and those of its tasks."""
    return f"{session}.{TLD}", f"*.{session}.{TLD}"


def folder(names: Sequence[str]) -> str:
    """Return what the folder of a certificate for `names`, which can be minted, is called."""
    return names[0].removeprefix("*.").replace(":", "-")


def _mintable(name: str) -> str:
    address = _address(name)
    if address is not None:
        return address
    found = name.lower().removesuffix(".")
    known = _NAME.fullmatch(found)
    if known is None or len(found) > LONGEST:
        raise NotLocal(name, "is no host name")
    if found == f"*.{TLD}":
        raise NotLocal(name, "is a name that clients take of nobody", f"name one: app.{TLD}")
    if found != TLD and not found.endswith(f".{TLD}"):
        raise NotLocal(name, f"does not end in .{TLD}", f"try {_local(found)}")
    return found


def _address(name: str) -> str | None:
    try:
        found = ip_address(name)
    except ValueError:
        return None
    if not found.is_loopback:
        raise NotLocal(name, "is not this machine's alone", "try 127.0.0.1")
    return str(found)


def _local(name: str) -> str:
    first = name.removeprefix("*.").partition(".")[0]
    return f"{first}.{TLD}"
