"""What `doctor` can see without the daemon, the folder and the ports left out.

Each function looks at one thing, starts nothing and changes nothing.
"""

from __future__ import annotations

import platform
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from shlex import quote

from taskmux import paths
from taskmux.client import Client
from taskmux.errors import NoConfig, TaskmuxError
from taskmux.wire import Finding

from .help import installed as version
from .plugins import installed
from .session import Session

PATIENCE = 5.0
"""Seconds the system's resolver may take for a name."""


def program() -> Iterator[Finding]:
    """Look at the interpreter and the installation."""
    yield Finding("Python", ok=True, detail=f"{platform.python_version()} ({sys.executable})")
    yield Finding("taskmux", ok=True, detail=version())


def config(session: Session) -> Finding:
    """Look at the host config."""
    from taskmux.settings import load

    path = paths.host_config(session.home)
    try:
        settings = load(path)
    except TaskmuxError as error:
        fix = error.hint or _correcting(path)
        return Finding("config.toml", ok=False, detail=str(error), fix=fix)
    if settings.withheld:
        detail = f"others may read {', '.join(settings.withheld)}: not used"
        fix = f"chmod 600 {quote(str(path))}"
        return Finding("config.toml", ok=False, detail=detail, fix=fix)
    said = f"settings: {len(settings.given)}" if settings.given else "all as it comes"
    return Finding("config.toml", ok=True, detail=said)


def _correcting(path: Path) -> str:
    place = quote(str(path))
    return f"correct it, or run `mv {place} {quote(f'{path}.old')}`: all is as it comes without it"


def project(session: Session) -> Iterator[Finding]:
    """Look at the taskmux.toml of this folder, if there is one."""
    from .sources import read_config

    with suppress(NoConfig):
        try:
            found = read_config(session.config())
        except NoConfig:
            raise
        except TaskmuxError as error:
            fix = error.hint or "correct it: `taskmux check` says when it is right"
            yield Finding("taskmux.toml", ok=False, detail=str(error), fix=fix)
        else:
            said = f"{found.name}, tasks: {len(found.tasks)}"
            yield Finding("taskmux.toml", ok=True, detail=said)


def plugins(session: Session, daemon: Client | None) -> Iterator[Finding]:
    """Look at every plugin that is installed and not disabled; None is a daemon that is silent."""
    from .plugins import seen

    try:
        found = seen(session, daemon)
    except TaskmuxError:  # config.toml, which says what is disabled, is wrong: told already
        return
    for one in found:
        if not one.ok:
            fix = one.hint or f"update it, or run `taskmux plugins disable {one.name}`"
            yield Finding(f"plugin {one.name}", ok=False, detail=one.reason or "", fix=fix)
    names = ", ".join(one.name for one in found if one.ok and one.enabled)
    yield Finding("plugins", ok=True, detail=names or "none")


def resolves(
    names: Sequence[str], advice: Callable[[], str], patience: float = PATIENCE
) -> Finding:
    """Look whether the system finds these names on this machine; if not, give `advice`.

    `patience` is for each.
    """
    from taskmux.plugins import called

    for name in names:
        try:
            found = called("the system", f"resolve {name}", partial(_addresses, name), patience)
        except TaskmuxError as error:
            return Finding("resolving", ok=False, detail=str(error), fix=advice())
        if not all(ip_address(one).is_loopback for one in found):
            detail = f"{name} leads to {', '.join(sorted(found))}"
            return Finding("resolving", ok=False, detail=detail, fix=advice())
    return Finding("resolving", ok=True, detail=f"{', '.join(names)} lead here")


def advice(session: Session) -> str:
    """Return what to do where names lead nowhere: what the chosen resolver says, if it does."""
    from taskmux.contracts import AdvisingResolver
    from taskmux.plugins import called, encodable
    from taskmux.settings import lend, load

    with suppress(TaskmuxError):  # what is wrong there is a finding of its own
        settings = load(paths.host_config(session.home))
        known = installed(session)
        resolver = known.resolvers.get(settings.host_resolver)
        if isinstance(resolver, AdvisingResolver):
            plugin = known.whose("host resolver", settings.host_resolver)
            lent = lend(settings, plugin)
            return called(plugin, "say what to do", lambda: encodable(resolver.advise(lent)))
    return _RESOLVING


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
