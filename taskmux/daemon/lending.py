"""What the daemon lends a plugin that it opens: a context of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec
from anyio import RunFinishedError, from_thread
from anyio.lowlevel import current_token

from taskmux import paths, settings
from taskmux.bus import Bus
from taskmux.contracts import PluginContext
from taskmux.encoding import encode
from taskmux.files import make_private
from taskmux.plugins import Allowance, encodable
from taskmux.supervisor import Services

ROOM = 16_384
"""Bytes of the facts of one event; more are left out."""

TOO_LARGE = {"too_large": True}

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
    allowance, lock = Allowance(time.monotonic), threading.Lock()
    token, home = current_token(), threading.get_ident()

    def publish(refused: int, kind: str, facts: Mapping[str, Any]) -> None:
        if refused:
            bus.publish("plugin_event", plugin=plugin, kind="events_refused", count=refused)
        bus.publish("plugin_event", plugin=plugin, kind=kind, **facts)

    def report(kind: str, facts: Mapping[str, Any]) -> None:
        # All that a flood costs is spent in the plugin's own thread.
        with lock:
            refused = allowance.take()
        if refused is None:
            return
        work = partial(publish, refused, encodable(kind), _facts(facts))
        if threading.get_ident() == home:
            work()
        else:
            with suppress(RunFinishedError):  # the daemon has ended without it
                from_thread.run_sync(work, token=token)

    return report


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts that are JSON and no more, read once: nobody changes them meanwhile."""
    own = encode({str(key): value for key, value in facts.items() if str(key) not in KEPT})
    return msgspec.json.decode(own, type=dict[str, Any]) if len(own) <= ROOM else TOO_LARGE
