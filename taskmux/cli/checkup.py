"""What `doctor` can see from outside: this program, the user's files, how names resolve.

Each function looks at one thing, starts nothing and changes nothing.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from shlex import quote

from taskmux import paths
from taskmux.errors import NoConfig, TaskmuxError
from taskmux.wire import Finding

from .help import installed as version
from .session import Session

LITTLE = 100_000_000
"""Bytes of room on a disk below which logs and state will soon not fit."""

PATIENCE = 5.0
"""Seconds the system's resolver may take for a name."""


def program() -> Iterator[Finding]:
    """Look at the interpreter and the installation."""
    yield Finding("Python", ok=True, detail=f"{platform.python_version()} ({sys.executable})")
    yield Finding("taskmux", ok=True, detail=version())


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


def config(session: Session) -> Finding:
    """Look at the host config."""
    from taskmux.settings import load

    path = paths.host_config(session.home)
    try:
        settings = load(path)
    except TaskmuxError as error:
        return Finding("config.toml", ok=False, detail=str(error), fix=error.hint)
    if settings.withheld:
        detail = f"others may read {', '.join(settings.withheld)}: not used"
        fix = f"chmod 600 {quote(str(path))}"
        return Finding("config.toml", ok=False, detail=detail, fix=fix)
    said = f"{len(settings.given)} settings" if settings.given else "all as it comes"
    return Finding("config.toml", ok=True, detail=said)


def project(session: Session) -> Iterator[Finding]:
    """Look at the taskmux.toml of this folder, if there is one."""
    from .sources import read_config

    with suppress(NoConfig):
        try:
            found = read_config(session.config())
        except NoConfig:
            raise
        except TaskmuxError as error:
            yield Finding("taskmux.toml", ok=False, detail=str(error), fix=error.hint)
        else:
            yield Finding("taskmux.toml", ok=True, detail=f"{found.name}: {len(found.tasks)} tasks")


def plugins(session: Session) -> Iterator[Finding]:
    """Look at every plugin that is installed and not disabled."""
    from taskmux.plugins import describe

    from .plugins import installed

    try:
        found = describe(installed(session)).plugins
    except TaskmuxError:  # config.toml, which says what is disabled, is wrong: told already
        return
    for one in found:
        if not one.ok:
            fix = one.hint or f"update it, or run `taskmux plugins disable {one.name}`"
            yield Finding(f"plugin {one.name}", ok=False, detail=one.reason or "", fix=fix)
    names = ", ".join(one.name for one in found if one.ok and one.enabled)
    yield Finding("plugins", ok=True, detail=names or "none")


def resolves(names: Sequence[str]) -> Finding:
    """Look whether the system finds these names on this machine."""
    from taskmux.plugins import called

    for name in names:
        try:
            found = called("the system", f"resolve {name}", partial(_addresses, name), PATIENCE)
        except TaskmuxError as error:
            return Finding("resolving", ok=False, detail=str(error), fix=_RESOLVING)
        if not all(ip_address(one).is_loopback for one in found):
            detail = f"{name} leads to {', '.join(sorted(found))}"
            return Finding("resolving", ok=False, detail=detail, fix=_RESOLVING)
    return Finding("resolving", ok=True, detail=f"{', '.join(names)} lead here")


_RESOLVING = (
    "run `sudo taskmux daemon restart`, or set host_resolver to another that `taskmux plugins` has;"
    " browsers and curl need none of them"
)


def _addresses(name: str) -> set[str]:
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise OSError(error.strerror or "not found") from None
    return {str(one[4][0]) for one in found}
