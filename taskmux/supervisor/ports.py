"""The ports of one project's tasks: taken, kept, and cleared of what earlier runs have left."""

from __future__ import annotations

from contextlib import suppress

from taskmux.errors import NoFreePort
from taskmux.processes import Holder, holder

from .services import Services
from .squatters import evict, held, told


class TaskPorts:
    """Each task's, by its name."""

    def __init__(self, session: str, services: Services) -> None:
        self._session = session
        self._services = services

    async def take(self, name: str, before: int | None) -> int:
        """Reserve a port for a task, the one it had `before` if that can be."""
        ports, owner = self._services.ports, self._owner(name)
        wish = ports.wish(owner, before)
        if wish is not None and not ports.free(wish):
            await self.clear(name, wish)
        port = ports.take(owner, before)
        if before is not None and port != before:
            self._tell_conflict(name, before, await held(before), port)
        return port

    def keep(self, name: str, port: int) -> None:
        """Reserve the port that a task at work may be listening on."""
        self._services.ports.keep(self._owner(name), port)

    def rename(self, session: str) -> None:
        """Go by another name of the project's."""
        before = self._owner("")
        self._session = session
        self._services.ports.rename(before, self._owner(""))

    def release(self, name: str) -> None:
        """Let others have the port of a task."""
        self._services.ports.release(self._owner(name))

    def usable(self, name: str, port: int) -> int:
        """Return `port`, which a task that starts now has, or another one if that is taken."""
        # It was free when it was taken for this task; somebody may have come since.
        ports, owner = self._services.ports, self._owner(name)
        if ports.free(port):
            return port
        with suppress(NoFreePort):
            ports.release(owner)
            other = ports.take(owner)
            self._tell_conflict(name, port, holder(port), other)
            return other
        return port

    async def clear(self, name: str, port: int) -> None:
        """End who listens on a port, if an earlier run of this project left it."""
        if self._services.ports.free(port):
            return
        by = await evict(port, self._services.home, self._session)
        if by is not None:
            self._publish(name, told(port, by, "left by an earlier run, and ended"))

    def _tell_conflict(self, name: str, port: int, by: Holder | None, instead: int) -> None:
        facts = told(port, by, f"{name} gets {instead}")
        self._publish(name, {"taken_instead": instead, **facts})

    def _publish(self, name: str, facts: dict[str, object]) -> None:
        self._services.bus.publish("port_conflict", self._session, task=name, **facts)

    def _owner(self, name: str) -> str:
        return f"{self._session}/{name}"
