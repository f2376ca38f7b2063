"""Tells plugins what happens, each at its own pace, and never at ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from anyio import create_task_group, current_time

from taskmux.bus import Bus
from taskmux.errors import PluginFailed
from taskmux.mailbox import Mailbox, Push
from taskmux.plugins import LIMIT, Hung, Listener, Plugins
from taskmux.plugins.alone import alone

PATIENCE = 3.0
"""Seconds that plugins may take for what they have not heard when the daemon ends."""


@asynccontextmanager
async def relayed(
    bus: Bus, plugins: Plugins, patience: float = PATIENCE, limit: float = LIMIT
) -> AsyncIterator[None]:
    """Hand every event to the plugins that listen, while inside; without any, do nothing.

    Each has a thread and a mailbox of its own, and is not told of events about itself, so no
    failure feeds on itself. One that is slow loses events, and of the last ones what it has
    not begun with after `patience`. One that takes `limit` over an event is told of no other.
    """
    async with create_task_group() as group:
        async with AsyncExitStack() as stack:
            for plugin, listener in plugins.listeners.items():
                told = _Told(plugin, listener, bus, plugins)
                stack.callback(told.mailbox.close)
                stack.callback(bus.listen(told.note))
                group.start_soon(told.tell, limit)
            yield
        group.cancel_scope.deadline = current_time() + patience


class _Told:
    """One plugin that listens, and what it was not told yet."""

    def __init__(self, plugin: str, listener: Listener, bus: Bus, plugins: Plugins) -> None:
        self.mailbox = Mailbox[Push]()
        self._plugin, self._listener = plugin, listener
        self._bus, self._plugins = bus, plugins

    def note(self, event: Push) -> None:
        if event.get("plugin") != self._plugin:
            self.mailbox.put_nowait(event)

    async def tell(self, limit: float) -> None:
        """Hand over what comes, until the mailbox is closed; no failure gets out."""
        async for event in self.mailbox:
            if "event" not in event:  # the mailbox: it was full
                self._tell_of_loss(event)
                continue
            try:
                hear = partial(self._listener, dict(event))
                await alone(self._plugin, "take note of an event", hear, limit)
            except PluginFailed as trouble:
                self._failed(trouble)
                if isinstance(trouble.__cause__, Hung):
                    return

    def _tell_of_loss(self, lost: Push) -> None:
        facts = {"plugin": self._plugin, "kind": "events_lost", "count": lost["count"]}
        self._bus.publish("plugin_event", **facts)

    def _failed(self, trouble: PluginFailed) -> None:
        if self._plugins.note(self._plugin, trouble) or isinstance(trouble.__cause__, Hung):
            facts = {"plugin": self._plugin, "reason": str(trouble), "hint": trouble.hint}
            self._bus.publish("plugin_failed", **facts)
