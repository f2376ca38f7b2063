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
    from taskmux.client import Client
    from taskmux.plugins import Plugins

    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def plugins(session: Session) -> Answer:
    """Show every plugin: what it offers, and what is wrong with it. Never starts the daemon."""
    return wire.PluginsReport(plugins=seen(session, session.visit()))


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
    from taskmux.plugins import Plugins, sources
    from taskmux.settings import load

    disabled = load(paths.host_config(session.home)).disabled_plugins
    if os.geteuid() != 0 or session.environ.get("SUDO_UID", "0") == "0":
        return Plugins(disabled=disabled)
    from taskmux.daemon.privileged.trust import guarded

    return Plugins(map(guarded, sources()), disabled)


def seen(session: Session, daemon: Client | None) -> list[wire.PluginReport]:
    """Return every plugin, as it is installed and as the daemon, if it answers, knows it."""
    from taskmux.plugins import describe

    here = [_shadowed(one) for one in describe(installed(session)).plugins]
    if daemon is None:
        return here
    try:
        there = {one.name: one for one in daemon.plugins().plugins}
    except (TaskmuxError, TimeoutError):
        return here
    used = [_as_used(one, there.pop(one.name, None)) for one in here]
    return used + [_gone(one) for one in there.values() if one.enabled]


def _as_used(here: wire.PluginReport, there: wire.PluginReport | None) -> wire.PluginReport:
    """Return what is installed `here`, with what the daemon knows of it."""
    if there is None or not here.enabled:
        return replace(here, loaded=there is not None and there.enabled)
    if not there.enabled or there.version != here.version:
        return replace(here, loaded=False)
    if there.ok or not here.ok:
        return replace(here, loaded=here.enabled)
    return replace(here, loaded=here.enabled, ok=False, reason=there.reason, hint=there.hint)


def _gone(there: wire.PluginReport) -> wire.PluginReport:
    """Return what the daemon has and nobody else any more."""
    why, hint = "it was uninstalled, and the daemon still uses it", "run `taskmux daemon restart`"
    return replace(there, loaded=False, ok=False, reason=why, hint=hint)


def _shadowed(one: wire.PluginReport) -> wire.PluginReport:
    from .commands import TAKEN

    hidden = [offer.name for offer in one.offers if offer.kind == "command" and offer.name in TAKEN]
    if not hidden or not one.ok:
        return one
    why = f"its command {hidden[0]} cannot be used: taskmux has one of that name"
    return replace(one, ok=False, reason=why, hint="its author can give it another name")


def _switch(session: Session, name: str, *, on: bool) -> Answer:
    from taskmux.plugins import names
    from taskmux.settings import load

    from .config import put

    disabled = load(paths.host_config(session.home)).disabled_plugins
    # None is imported: this is the way out of one that ends whoever imports it.
    known = names(disabled if on else ())
    if name not in known:
        raise UnknownPlugin(name, known)
    rest = [other for other in disabled if other != name]
    return put(session, "plugins.disabled", ",".join(rest if on else [*rest, name]))
