"""Who asked for root, and what is around them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taskmux.errors import NotAllowed

MOST = 2**32 - 2
"""The highest number a user can have: the one above it means nobody to the kernel."""

KEPT = ("TERM", "COLORTERM", "NO_COLOR", "LANG", "TZ", "TASKMUX_HOME")
"""Variables that are the same for whoever runs; so are those that begin with `LC_`."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of this machine, as the system knows them."""

    name: str
    uid: int
    gid: int
    folder: str
    shell: str


Lookup = Callable[[int], Person | None]
"""Returns the user of that number, if there is one."""


def invoker(environ: Mapping[str, str], lookup: Lookup) -> Person | None:
    """Return who typed `sudo`, in the group they were in; None if that was root, or nobody did.

    Raises `NotAllowed` for what sudo never says.
    """
    if environ.get("SUDO_UID", "0") == "0":
        return None
    uid, gid = (_number(key, environ.get(key)) for key in ("SUDO_UID", "SUDO_GID"))
    person = lookup(uid)
    if person is None:
        raise NotAllowed(f"SUDO_UID is {uid}, and nobody has that number")
    return Person(person.name, uid, gid, person.folder, person.shell)


def environment(person: Person, environ: Mapping[str, str], runtime: str | None) -> dict[str, str]:
    """Return what `person` finds instead of root's `environ`: nothing of sudo, nothing of root.

    `runtime` is their XDG_RUNTIME_DIR, None if they have none.
    """
    kept = {key: value for key, value in environ.items() if key in KEPT or key.startswith("LC_")}
    theirs = {
        "HOME": person.folder,
        "USER": person.name,
        "LOGNAME": person.name,
        "SHELL": person.shell or "/bin/sh",
        "PATH": environ.get("PATH") or PATH,
    }
    return kept | theirs | ({} if runtime is None else {"XDG_RUNTIME_DIR": runtime})


def _number(key: str, value: str | None) -> int:
    if value is None:
        raise NotAllowed(f"{key} is not set, and sudo sets it")
    if not re.fullmatch("[1-9][0-9]{0,9}", value) or int(value) > MOST:
        raise NotAllowed(f"{key} is {value!r}, which is no user's")
    return int(value)
