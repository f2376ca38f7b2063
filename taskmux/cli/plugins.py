"""Commands about plugins: what is installed, and what of it is used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec.structs import replace

from taskmux import paths, wire
from taskmux.errors import TaskmuxError, UnknownPlugin

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from taskmux.plugins import Plugins

    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def plugins(session: Session) -> Answer:
    """Show every plugin: what it offers, and what is wrong with it. Never starts the daemon."""
    from taskmux.plugins import describe

    here = describe(installed(session))
    try:
        there = {plugin.name: plugin for plugin in session.visit().plugins().plugins}
    except TaskmuxError:
        return here
    return wire.PluginsReport(plugins=[_as_used(one, there.get(one.name)) for one in here.plugins])


def plugins_enable(session: Session, name: options.PluginName) -> Answer:
    """Use a plugin again that was disabled."""
    return _switch(session, name, on=True)


def plugins_disable(session: Session, name: options.PluginName) -> Answer:
    """Leave a plugin out: it is not even imported."""
    return _switch(session, name, on=False)


def installed(session: Session) -> Plugins:
    """Return the plugins as they are installed now, those loaded that are not disabled.

    Under `sudo`, those whose code others than root may change are broken.
    """
    from taskmux.plugins import Plugins, entries
    from taskmux.settings import load

    disabled = load(paths.host_config(session.home)).disabled_plugins
    if os.geteuid() != 0 or session.environ.get("SUDO_UID", "0") == "0":
        return Plugins(disabled=disabled)
    from taskmux.daemon.privileged.trust import Guarded

    return Plugins(map(Guarded, entries()), disabled)


def _as_used(here: wire.PluginReport, there: wire.PluginReport | None) -> wire.PluginReport:
    """Return what is installed `here`, with what the daemon knows of it."""
    if there is None or (there.version, there.enabled) != (here.version, here.enabled):
        return replace(here, loaded=False)
    if there.ok or not here.ok:
        return replace(here, loaded=here.enabled)
    return replace(here, loaded=here.enabled, ok=False, reason=there.reason, hint=there.hint)


def _switch(session: Session, name: str, *, on: bool) -> Answer:
    from taskmux.settings import load

    from .config import put

    disabled = load(paths.host_config(session.home)).disabled_plugins
    # One that was uninstalled may still stand among the disabled.
    known = {*installed(session).found, *(disabled if on else ())}
    if name not in known:
        raise UnknownPlugin(name, known)
    rest = [other for other in disabled if other != name]
    return put(session, "plugins.disabled", ",".join(rest if on else [*rest, name]))
