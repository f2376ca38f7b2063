"""How a running daemon comes to more listeners, and how it passes on those it has."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from taskmux.bus import Bus
from taskmux.errors import NotRenewed
from taskmux.scarcity import described
from taskmux.threads import in_thread

from .handover import Handed, leave, take
from .listeners import Listeners

log = logging.getLogger("taskmux")


class Transfer:
    """Takes listeners in, and leaves them to who comes after this daemon."""

    def __init__(self, listeners: Listeners, bus: Bus) -> None:
        self._listeners = listeners
        self._bus = bus

    async def take(self, path: Path) -> None:
        """Hold what is offered at the path as well; raise `NotRenewed` if nobody is there."""
        try:
            self.accept(await in_thread(partial(take, path)))
        except OSError as error:
            raise NotRenewed(f"nothing was handed over at {path}: {described(error)}", []) from None

    async def leave(self, path: Path) -> None:
        """Leave all listeners at the path, if somebody is there. They stay open here, too."""
        try:
            await in_thread(partial(leave, path, Handed(tuple(self._listeners))))
        except OSError as error:
            log.warning("the listeners could not be handed over: %s", described(error))

    def accept(self, handed: Handed) -> None:
        """Hold what was handed, and tell of what could not be prepared."""
        self._listeners.add(handed.listeners)
        for failure in handed.failures:
            log.warning("%s", failure.reason)
            self._bus.publish("plugin_failed", plugin=failure.plugin, reason=failure.reason)
