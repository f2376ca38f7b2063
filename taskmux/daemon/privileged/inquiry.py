"""Run as the user by root: reads their settings and projects, and prints a survey of them."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from taskmux import paths, settings
from taskmux.client import Client
from taskmux.errors import NotAllowed, TaskmuxError
from taskmux.files import read_regular, read_text
from taskmux.plugins import Plugins
from taskmux.project import parse
from taskmux.routes import hostnames
from taskmux.store import Aliases
from taskmux.wire import DaemonReport

from .survey import Survey, refuse, write

PATIENCE = 10.0
"""Seconds the user's daemon may take to answer: nothing can be handed to one that hangs."""


def inquire(environ: Mapping[str, str]) -> Survey:
    """Return what the user of this process wants prepared. Raises any `TaskmuxError`."""
    home = paths.home(environ)
    check_home(home)
    host = settings.load(paths.host_config(home))
    about = running(home)
    plugin = _offering(host.host_resolver, Plugins(disabled=host.disabled_plugins))
    return Survey(
        bind=host.proxy_bind,
        https=host.proxy_https_port if host.proxy_enabled else 0,
        http=host.proxy_http_redirect_port if host.proxy_enabled else 0,
        resolver=host.host_resolver,
        plugin=plugin,
        names=_names(home),
        settings=settings.lend(host, plugin),
        running=about is not None,
        held=[(one.address, one.port) for one in about.listeners] if about else [],
    )


def check_home(home: Path) -> None:
    """Raise `NotAllowed` for a folder that is not the user's own, if it is there."""
    try:
        found = home.lstat()
    except OSError:  # what is wrong with it, the daemon says
        return
    if stat.S_ISLNK(found.st_mode):
        there = shlex.quote(os.path.realpath(home))
        hint = f"run `sudo TASKMUX_HOME={there} taskmux daemon` to use what it leads to"
        raise NotAllowed(f"{home} is a symbolic link", hint)
    if found.st_uid != os.geteuid():
        place = shlex.quote(str(home))
        hint = f"run `sudo chown {os.geteuid()}:{os.getegid()} {place}`"
        raise NotAllowed(f"{home} belongs to user {found.st_uid}", hint)


def _offering(resolver: str, plugins: Plugins) -> str | None:
    for plugin in plugins.found:
        kinds = {(offer.kind, offer.name) for offer in plugins.offers(plugin)}
        if ("host resolver", resolver) in kinds:
            return plugin
    return None


def _names(home: Path) -> list[str]:
    names: dict[str, None] = {}
    for session, path in _registry(home).items():
        with suppress(TaskmuxError):  # of a project that is wrong, its own commands tell
            tasks = parse(read_text(Path(path)), path).tasks.values()
            names |= dict.fromkeys(hostnames(session, (task.host for task in tasks)))
        names |= dict.fromkeys(hostnames(session, _aliases(home, session)))
    return list(names)


def _aliases(home: Path, session: str) -> list[str]:
    try:
        content = read_regular(paths.aliases(home, session))
        found = msgspec.json.decode(content or b"{}", type=Aliases)
    except (OSError, ValueError):  # as below
        return []
    return [alias.host for alias in found.values()]


def _registry(home: Path) -> dict[str, str]:
    try:
        content = read_regular(paths.registry(home))
        return msgspec.json.decode(content or b"", type=dict[str, str])
    except (OSError, ValueError):  # the daemon sets a damaged one aside, and says so
        return {}


def running(home: Path, patience: float = PATIENCE) -> DaemonReport | None:
    """Return what the daemon says of itself, if there is one; raise `NotAllowed` if it hangs."""
    try:
        return Client(paths.door(home), patience=patience).hello()
    except TimeoutError:
        why = f"the daemon that runs has not answered within {patience:g} s"
        raise NotAllowed(why, "run `taskmux doctor`: it says how to end it") from None
    except TaskmuxError:  # there is none, or none that could be handed anything
        return None


def main() -> None:
    """Answer on what is stdout now. What plugins print, and whom they start, have no part in it."""
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            answer.write(write(inquire(os.environ)))
        except TaskmuxError as error:
            answer.write(refuse(error))


if __name__ == "__main__":
    main()
