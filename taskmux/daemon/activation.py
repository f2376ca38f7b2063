"""The environment by which systemd hands sockets to a program, and so does our own root part.

`LISTEN_FDS` descriptors from 3 on, named in `LISTEN_FDNAMES`, for the process `LISTEN_PID` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FIRST = 3
"""The first descriptor that is handed."""

MOST = 64


def handed(environ: Mapping[str, str], pid: int) -> list[tuple[str, int]]:
    """Return the name and number of every descriptor that process `pid` was handed. Pure."""
    if environ.get("LISTEN_PID") != str(pid):
        return []
    count = environ.get("LISTEN_FDS", "")
    if not (count.isascii() and count.isdecimal() and int(count) <= MOST):
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += [""] * (int(count) - len(names))
    return [(names[place], FIRST + place) for place in range(int(count))]


def environment(names: Sequence[str], pid: int) -> dict[str, str]:
    """Return what hands process `pid` descriptors with these names, from `FIRST` on. Pure."""
    if not names:
        return {}
    return {
        "LISTEN_PID": str(pid),
        "LISTEN_FDS": str(len(names)),
        "LISTEN_FDNAMES": ":".join(names),
    }
