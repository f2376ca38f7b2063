"""What `doctor` sees of the folder of everything that is ours."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from shlex import quote

import msgspec

from taskmux import paths
from taskmux.files import read_regular, unusable
from taskmux.wire import Finding

from .session import Session

LITTLE = 100_000_000
"""Bytes of room on a disk below which logs and state will soon not fit."""

_RENEWING = (
    "run `taskmux daemon restart --stop-tasks`: what is damaged is set aside;"
    " a project is registered again by its next command"
)


def folder(session: Session) -> Finding:
    """Look at the folder of everything that is ours."""
    home = session.home
    try:
        amiss = _amiss(home) or _of_others(home)
        room = shutil.disk_usage(home).free
    except FileNotFoundError:
        return _not_yet(home)
    except OSError as error:
        fix = "see to the folders above it, or set TASKMUX_HOME elsewhere"
        return Finding("folder", ok=False, detail=f"{home}: {error.strerror}", fix=fix)
    if amiss is None and room < LITTLE:
        amiss = f"{home}, {room // 1_000_000} MB free", "make room, or set TASKMUX_HOME elsewhere"
    if amiss is not None:
        return Finding("folder", ok=False, detail=amiss[0], fix=amiss[1])
    where = f"{home}, which leads to {os.path.realpath(home)}" if home.is_symlink() else str(home)
    return Finding("folder", ok=True, detail=f"{where}, {room // 1_000_000} MB free")


def state(session: Session) -> Finding:
    """Look at the files that the daemon keeps. It sets damaged ones aside when it starts."""
    home = session.home
    files = (paths.registry, paths.pid, paths.daemon_log, paths.events, paths.token)
    for path in (file(home) for file in files):
        if (why := unusable(path)) is not None:
            return Finding("state", ok=False, detail=f"{path}: {why}", fix=_RENEWING)
    try:
        content = read_regular(paths.registry(home)) or b"{}"
        projects = msgspec.json.decode(content, type=dict[str, str])
    except (OSError, ValueError) as error:
        detail = f"{paths.registry(home)} is damaged: {error}"
        return Finding("state", ok=False, detail=detail, fix=_RENEWING)
    aside = sum(1 for _ in paths.set_aside(home))
    said = f", damaged files set aside: {aside} (see `taskmux events`)" if aside else ""
    return Finding("state", ok=True, detail=f"projects registered: {len(projects)}{said}")


def _amiss(home: Path) -> tuple[str, str] | None:
    """Return what is wrong with the folder itself, and the command that mends it."""
    found, place = home.stat(), quote(str(home))
    if not stat.S_ISDIR(found.st_mode):
        return f"{home} is no folder", f"mv {place} {quote(f'{home}.old')}"
    if found.st_uid != os.geteuid():
        return f"{home} is user {found.st_uid}'s", f"sudo chown {_us()} {place}"
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return f"{home} cannot be written", f"chmod u+rwx {place}"
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return f"{home} is open to others", f"chmod 700 {place}"
    return None


def _of_others(home: Path) -> tuple[str, str] | None:
    """Return what of our files is another user's, most often root's, and how it becomes ours."""
    theirs = [one for one in paths.ours(home) if one.lstat().st_uid != os.geteuid()]
    if not theirs:
        return None
    places = " ".join(quote(str(one)) for one in theirs)
    names = ", ".join(one.name for one in theirs)
    return f"another user's in {home}: {names}", f"sudo chown -hR {_us()} {places}"


def _us() -> str:
    return f"{os.geteuid()}:{os.getegid()}"


def _not_yet(home: Path) -> Finding:
    if home.is_symlink():
        fix = f"rm {quote(str(home))}"
        return Finding("folder", ok=False, detail=f"{home} is a link that leads nowhere", fix=fix)
    above = next(folder for folder in home.parents if folder.exists())
    if os.access(above, os.W_OK | os.X_OK):
        return Finding("folder", ok=True, detail=f"{home} is not there yet")
    fix = "set TASKMUX_HOME elsewhere"
    return Finding("folder", ok=False, detail=f"{home} cannot be made: {above} is closed", fix=fix)
