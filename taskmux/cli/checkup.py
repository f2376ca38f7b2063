"""What `doctor` can see from outside: this program, the user's files, the system's ports.

Each function looks at one thing, starts nothing and changes nothing.
"""

from __future__ import annotations

import errno
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
        found = home.lstat()
    except FileNotFoundError:
        return Finding("folder", ok=True, detail=f"{home} is not there yet")
    except OSError as error:
        return Finding("folder", ok=False, detail=f"{home}: {error.strerror}")
    if not stat.S_ISDIR(found.st_mode):
        return Finding("folder", ok=False, detail=f"{home} is no folder", fix="move it away")
    if found.st_uid != os.geteuid():
        fix = f"sudo chown {os.geteuid()} {home}"
        return Finding("folder", ok=False, detail=f"{home} is user {found.st_uid}'s", fix=fix)
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        fix = f"chmod u+rwx {home}"
        return Finding("folder", ok=False, detail=f"{home} cannot be written", fix=fix)
    room = shutil.disk_usage(home).free
    advice = None if room >= LITTLE else "make room there, or set TASKMUX_HOME elsewhere"
    detail = f"{home}, {room // 1_000_000} MB free"
    return Finding("folder", ok=advice is None, detail=detail, fix=advice)


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
        return Finding("config.toml", ok=False, detail=detail, fix=f"chmod 600 {path}")
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
    from .plugins import seen

    try:
        found = seen(session)
    except TaskmuxError:  # config.toml, which says what is disabled, is wrong: told already
        return
    for one in found:
        if not one.ok:
            fix = one.hint or f"update it, or run `taskmux plugins disable {one.name}`"
            yield Finding(f"plugin {one.name}", ok=False, detail=one.reason or "", fix=fix)
    names = ", ".join(one.name for one in found if one.ok and one.enabled)
    yield Finding("plugins", ok=True, detail=names or "none")


def port(number: int, held: Sequence[int]) -> Finding:
    """Look whether the proxy's port is `held` by the daemon, or could be bound."""
    name = f"port {number}"
    if number in held:
        return Finding(name, ok=True, detail="the daemon holds it")
    try:
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(("127.0.0.1", number))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            fix = "stop it, or run `taskmux config set proxy_https_port 8443`"
            return Finding(name, ok=False, detail=f"{_holder(number)} has it", fix=fix)
        return Finding(name, ok=False, detail=f"{error.strerror}", fix=_allowing(number))
    return Finding(name, ok=True, detail="free, and may be bound")


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


def _holder(number: int) -> str:
    import psutil

    with suppress(psutil.Error, OSError):
        for one in psutil.net_connections("tcp"):
            listens = one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == number
            if listens and one.pid:
                return f"{psutil.Process(one.pid).name()} (pid {one.pid})"
    return "somebody else (run with sudo to see who)"


def _allowing(number: int) -> str:
    fix = "run `sudo taskmux daemon restart`, or `taskmux config set proxy_https_port 8443`"
    if sys.platform == "linux":
        fix += f", or `sudo sysctl net.ipv4.ip_unprivileged_port_start={number}`"
    return fix
