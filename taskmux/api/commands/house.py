"""What every command can reach: the projects, and the daemon around them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from anyio import CapacityLimiter

from taskmux.errors import TaskmuxError
from taskmux.projects import Project, Projects
from taskmux.supervisor import Meter, Services
from taskmux.wire import DaemonReport, ProjectRequest, ProxyReport, Renew

from .broadcast import Broadcasts
from .turns import Turns


class Names(Protocol):
    """The names of tasks, and whether they resolve."""

    resolver: str
    published: Sequence[str]
    trouble: TaskmuxError | None

    def wanted(self) -> Sequence[str]:
        """Return the names of all tasks that have one."""

    async def settle(self) -> None:
        """Wait until it is known whether they resolve."""


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

    names: Names
    proxy: Callable[[], ProxyReport]
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
