"""What the daemon lends a plugin that it opens: a context of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from anyio import from_thread
from anyio.lowlevel import EventLoopToken, current_token

from taskmux import paths, settings
from taskmux.bus import Bus
from taskmux.contracts import PluginContext
from taskmux.encoding import encode
from taskmux.files import make_private
from taskmux.plugins import Allowance
from taskmux.supervisor import Services

ROOM = 16_384
"""Bytes of the facts of one event; more are left out."""

KEPT = {"ts", "seq", "event", "session", "plugin", "kind"}
"""Facts of an event that only taskmux states."""


def lend(services: Services, plugin: str) -> PluginContext:
    """Return what `plugin` is given while it is open. Raises `OSError` for its folder."""
    folder = paths.plugin_state(services.home, plugin)
    make_private(folder)
    return PluginContext(
        settings=settings.lend(services.settings, plugin),
        state_dir=folder,
        log=logging.getLogger(f"taskmux.plugin.{plugin}"),
        report=reporter(services.bus, plugin),
    )


def reporter(bus: Bus, plugin: str) -> Callable[[str, Mapping[str, Any]], None]:
    """Return what puts events of a plugin on the bus, so many and no more, from any thread."""
    allowance = Allowance(time.monotonic)
    token, home = current_token(), threading.get_ident()

    def publish(kind: str, facts: Mapping[str, Any]) -> None:
        if (refused := allowance.take()) is None:
            return
        if refused:
            bus.publish("plugin_event", plugin=plugin, kind="events_refused", count=refused)
        bus.publish("plugin_event", plugin=plugin, kind=str(kind), **_facts(facts))

    def report(kind: str, facts: Mapping[str, Any]) -> None:
        work = partial(publish, kind, dict(facts))
        if threading.get_ident() == home:
            work()
        else:
            _in_loop(work, token)

    return report


def _in_loop(work: Callable[[], None], token: EventLoopToken) -> None:
    from_thread.run_sync(work, token=token)


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    own = {str(key): value for key, value in facts.items() if key not in KEPT}
    return own if len(encode(own)) <= ROOM else {"too_large": True}
