"""What every command can reach: the projects, and the daemon around them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from anyio import CapacityLimiter

from taskmux.projects import Project, Projects
from taskmux.supervisor import Meter, Services
from taskmux.wire import DaemonReport, ProjectRequest, Renew

from .broadcast import Broadcasts
from .turns import Turns


@dataclass(frozen=True, slots=True)
class House:
    """The daemon, as its commands see it."""

    projects: Projects
    services: Services
    about: Callable[[], DaemonReport]
    end: Callable[[bool], Awaitable[None]]
    """Stops every task, then has the daemon end, even if whoever asked is gone by then.

    With True, the next daemon starts again what ran."""

    renew: Callable[[Renew], Awaitable[None]]
    """Goes on in a new program. Returns never, or raises."""

    leave: Callable[[Path], Awaitable[None]]
    """Leaves the sockets that were bound for the daemon at that Unix socket, if it can."""

    meter: Meter = field(default_factory=Meter)
    broadcasts: Broadcasts = field(default_factory=Broadcasts)
    turns: Turns = field(default_factory=Turns)
    readers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """Threads that may go through logs at the same time: a search may take them long."""

    async def project(self, request: ProjectRequest) -> Project:
        """Return the project a request is about."""
        return await self.projects.resolve(request.session, request.config)
