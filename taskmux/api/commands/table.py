"""Which function answers which request."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from taskmux import wire
from taskmux.errors import DaemonEnding, DaemonRenewing
from taskmux.mailbox import Bulk, Push

from . import aliases, cleaning, diagnosis, registry, streams, tasks, urls, views
from .gate import Gate
from .house import House

Handler = Callable[[House, Any], Awaitable[wire.Report]]

HANDLERS: dict[type[wire.Request], Handler] = {
    wire.Add: registry.add,
    wire.AliasAdd: aliases.alias_add,
    wire.AliasList: aliases.alias_list,
    wire.AliasRemove: aliases.alias_remove,
    wire.Clean: cleaning.clean,
    wire.CleanLogs: tasks.clean_logs,
    wire.Diagnose: diagnosis.diagnose,
    wire.Events: views.events,
    wire.Health: views.health,
    wire.Hello: views.hello,
    wire.Inspect: views.inspect,
    wire.Kill: tasks.kill,
    wire.ListPlugins: views.list_plugins,
    wire.ListProjects: views.list_projects,
    wire.Logs: views.logs,
    wire.Prune: cleaning.prune,
    wire.Register: registry.register,
    wire.Reload: registry.reload,
    wire.Remove: registry.remove,
    wire.Renew: registry.renew,
    wire.RestartTasks: tasks.restart,
    wire.Shutdown: registry.shutdown,
    wire.StartTasks: tasks.start,
    wire.Status: views.status,
    wire.StatusAll: views.status_all,
    wire.StopTasks: tasks.stop,
    wire.Unregister: registry.unregister,
    wire.Url: urls.url,
    wire.Wait: tasks.wait,
}


ALWAYS = (wire.Hello, wire.ListProjects, wire.Shutdown)
"""Requests that are answered even while nothing new is taken."""


class Commands:
    """The desk behind both doors."""

    def __init__(self, house: House, gate: Gate | None = None) -> None:
        self._house = house
        self._gate = gate or Gate()

    def asked(self) -> AbstractContextManager[None]:
        """Count a request until its answer has been sent."""
        return self._gate.asked()

    async def answer(self, request: wire.Request) -> wire.Report:
        """Return what the request asked for, or raise the `TaskmuxError` that says why not."""
        if not isinstance(request, ALWAYS):
            self._gate.check()
        if isinstance(request, wire.Shutdown):
            self._gate.close(DaemonEnding(self._house.about().pid))
        if isinstance(request, wire.Renew):  # it ends the waiting of all others
            return await HANDLERS[wire.Renew](self._house, request)
        with self._gate.inside() as given_up:
            return await HANDLERS[type(request)](self._house, request)
        assert given_up.cancelled_caught
        raise DaemonRenewing(begun=not isinstance(request, wire.LOOKING))

    @asynccontextmanager
    async def subscribe(self, request: wire.Subscribe) -> AsyncIterator[AsyncIterable[Push | Bulk]]:
        """Stream events and output to one reader, as much of it as the reader takes."""
        self._gate.check()
        async with streams.open_stream(self._house, request) as pushes:
            yield pushes
