"""Run as the user by root: reads their settings and projects, and prints a survey of them."""

from __future__ import annotations

import os
import stat
import sys
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
from taskmux.wire import DaemonReport

from .survey import Survey, refuse, write


def inquire(environ: Mapping[str, str]) -> Survey:
    """Return what the user of this process wants prepared. Raises any `TaskmuxError`."""
    home = paths.home(environ)
    check_home(home)
    host = settings.load(paths.host_config(home))
    about = _about(home)
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
        hint = f"run `sudo TASKMUX_HOME={home.resolve()} taskmux daemon` to use what it leads to"
        raise NotAllowed(f"{home} is a symbolic link", hint)
    if found.st_uid != os.geteuid():
        hint = f"run `sudo chown {os.geteuid()}:{os.getegid()} {home}`"
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
    return list(names)


def _registry(home: Path) -> dict[str, str]:
    try:
        content = read_regular(paths.registry(home))
        return msgspec.json.decode(content or b"", type=dict[str, str])
    except (OSError, ValueError):  # the daemon sets a damaged one aside, and says so
        return {}


def _about(home: Path) -> DaemonReport | None:
    try:
        return Client(paths.door(home)).hello()
    except TaskmuxError:  # there is none, or none that could be handed anything
        return None


if __name__ == "__main__":
    try:
        answer = write(inquire(os.environ))
    except TaskmuxError as error:
        answer = refuse(error)
    sys.stdout.buffer.write(answer)
