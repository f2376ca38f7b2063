"""Tells plugins what happens, at their pace and never at ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from anyio import create_task_group, current_time

from taskmux.bus import Bus
from taskmux.mailbox import Mailbox, Push
from taskmux.plugins import Plugins
from taskmux.threads import in_thread_or_here

PATIENCE = 3.0
"""Seconds that plugins may take for what they have not heard when the daemon ends."""


@asynccontextmanager
async def relayed(bus: Bus, plugins: Plugins, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Hand every event to the plugins that listen, while inside; without any, do nothing.

    A plugin that is slow loses events, and of the last ones what it has not begun with
    after `patience`; one that fails is told of in an event of its own.
    """
    if not plugins.listeners:
        yield
        return
    mailbox = Mailbox[Push]()
    forget = bus.listen(mailbox.put_nowait)
    async with create_task_group() as group:
        group.start_soon(_relay, mailbox, bus, plugins)
        yield
        forget()
        mailbox.close()
        group.cancel_scope.deadline = current_time() + patience


async def _relay(mailbox: Mailbox[Push], bus: Bus, plugins: Plugins) -> None:
    async for event in mailbox:
        for failure in await in_thread_or_here(partial(plugins.relay, event)):
            bus.publish("plugin_failed", plugin=failure.facts["plugin"], reason=str(failure))
