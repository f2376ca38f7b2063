"""Which function answers which request."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from taskmux import wire
from taskmux.errors import DaemonEnding
from taskmux.mailbox import Bulk, Push

from . import registry, streams, tasks, views
from .house import House

Handler = Callable[[House, Any], Awaitable[wire.Report]]

HANDLERS: dict[type[wire.Request], Handler] = {
    wire.Add: registry.add,
    wire.CleanLogs: tasks.clean_logs,
    wire.Events: views.events,
    wire.Health: views.health,
    wire.Hello: views.hello,
    wire.Inspect: views.inspect,
    wire.Kill: tasks.kill,
    wire.ListProjects: views.list_projects,
    wire.Logs: views.logs,
    wire.Register: registry.register,
    wire.Reload: registry.reload,
    wire.Remove: registry.remove,
    wire.RestartTasks: tasks.restart,
    wire.Shutdown: registry.shutdown,
    wire.StartTasks: tasks.start,
    wire.Status: views.status,
    wire.StatusAll: views.status_all,
    wire.StopTasks: tasks.stop,
    wire.Unregister: registry.unregister,
    wire.Wait: tasks.wait,
}


class Commands:
    """The desk behind both doors. Once told to end the daemon, it takes nothing new."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._ending = False

    async def answer(self, request: wire.Request) -> wire.Report:
        """Return what the request asked for, or raise the `TaskmuxError` that says why not."""
        if isinstance(request, wire.Shutdown):
            self._ending = True
        elif not isinstance(request, wire.Hello | wire.ListProjects):
            self._check_open()
        return await HANDLERS[type(request)](self._house, request)

    @asynccontextmanager
    async def subscribe(self, request: wire.Subscribe) -> AsyncIterator[AsyncIterable[Push | Bulk]]:
        """Stream events and output to one reader, as much of it as the reader takes."""
        self._check_open()
        async with streams.open_stream(self._house, request) as pushes:
            yield pushes

    def _check_open(self) -> None:
        if self._ending:
            raise DaemonEnding(self._house.about().pid)
