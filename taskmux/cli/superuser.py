"""What root may do with taskmux: not much by accident, and nothing to the files of others."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from taskmux.errors import NotAllowed
from taskmux.files import passed

ALLOW = "TASKMUX_ALLOW_ROOT"
"""Set to 1 it says that root is who is meant, as in a container."""


def check_start(uid: int, environ: Mapping[str, str]) -> None:
    """Raise `NotAllowed` if user `uid` is root and nothing says that it may have a daemon."""
    if uid != 0 or environ.get(ALLOW) == "1":
        return
    hint = f"if root is who you mean, as in a container, set {ALLOW}=1"
    if environ.get("SUDO_UID", "0") != "0":
        hint = "leave sudo out; to have ports below 1024: sudo taskmux daemon start"
    raise NotAllowed("a daemon that root starts would run every task as root", hint)


def check_home(uid: int, home: Path, environ: Mapping[str, str]) -> None:
    """Raise `NotAllowed` if user `uid` is root, and what is in `home` is somebody else's."""
    if uid != 0 or environ.get(ALLOW) == "1":
        return
    # Who owns a folder on the way decides what the rest of it is, and where a link leads.
    for folder in passed(home):
        with suppress(OSError):
            if (owner := folder.lstat().st_uid) != 0:
                why = f"root would leave files of its own in {folder}, which is user {owner}'s"
                raise NotAllowed(why, "leave sudo out")
