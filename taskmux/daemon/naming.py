"""Has the names of tasks resolve on this machine, by the resolver the user chose.

The resolver lives apart from us, so nothing it does, or forgets to do, holds up a task. It is
told of the names whenever they change; while it is at that, changes add up.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from typing import Any

import anyio
from anyio import create_task_group

from taskmux.contracts import HostRecord, HostResolver, OpenResolver
from taskmux.errors import NobodyOffers, PluginFailed, TaskmuxError
from taskmux.plugins import LIMIT, failure
from taskmux.plugins.apart import Apart, apart
from taskmux.projects import Projects, holders
from taskmux.routes import hostnames
from taskmux.supervisor import Services
from taskmux.threads import in_thread_or_here

from .lending import lend

log = logging.getLogger("taskmux")

CHANGES = {
    "config_reloaded", "project_registered", "project_unregistered", "project_renamed",
    "alias_added", "alias_removed",
}  # fmt: skip
"""Events after which there may be other names."""

LOOPBACKS = (ip_address("127.0.0.1"), ip_address("::1"))
"""Where every name leads. Both: many try ::1 first, and must find nobody else there."""

KIND = "host resolver"


class Naming:
    """The chosen resolver, and the names it was told of."""

    def __init__(self, services: Services, projects: Projects) -> None:
        self.resolver = services.settings.host_resolver
        self.published: Sequence[str] = ()
        """The names that resolve, as far as the resolver says."""

        self.trouble: TaskmuxError | None = None
        """Why not all of them do; None if nothing is wrong."""

        self._services = services
        self._projects = projects
        self._changed = anyio.Event()
        self._settled = anyio.Event()
        self._over = False

    def wanted(self) -> list[str]:
        """Return the names of all tasks that have one, and of aliases, in order."""
        return sorted(set(self._names()))

    def note(self, event: dict[str, Any]) -> None:
        """Look at the names again after an event that may have changed them."""
        if event["event"] in CHANGES and not self._over:
            if self._settled.is_set():  # else somebody waits for this one
                self._settled = anyio.Event()
            self._changed.set()

    async def settle(self) -> None:
        """Wait until the resolver was told of all names, or it is known why it cannot be."""
        await self._settled.wait()

    async def keep(self) -> None:
        """Open the resolver and keep it told, until `end`; no failure of it gets out."""
        plugin = self.resolver
        try:
            plugin, resolver = await in_thread_or_here(self._choose)
            async with apart(plugin, LIMIT) as there:
                lent = lend(self._services, plugin)
                ended = partial(self._ended, plugin)
                opening = partial(resolver.open, lent)
                opened = await there.enter(f"open its {KIND}", opening, ended, LIMIT)
                await self._tell(there, opened)
        except TaskmuxError as trouble:
            self._fail(plugin, trouble)
        except OSError as error:  # there is no folder for it
            self._fail(plugin, failure(plugin, f"open its {KIND}", error))
        self.published, self._over = (), True
        self._settled.set()

    def end(self) -> None:
        """Have the resolver withdraw what it published, and `keep` return."""
        self._over = True
        self._changed.set()

    def _choose(self) -> tuple[str, HostResolver]:
        plugins = self._services.plugins
        if self.resolver not in plugins.resolvers:
            raise NobodyOffers(KIND, self.resolver, plugins.resolvers, plugins.absent)
        return plugins.whose(KIND, self.resolver), plugins.resolvers[self.resolver]

    async def _tell(self, there: Apart, resolver: OpenResolver) -> None:
        told: list[str] = []
        while not self._over:
            self._changed = anyio.Event()
            wanted = self.wanted()
            if wanted != told and await self._publish(there, resolver, wanted):
                told = wanted
            if not self._changed.is_set():
                self._settled.set()
            await self._changed.wait()

    async def _publish(self, there: Apart, resolver: OpenResolver, names: Sequence[str]) -> bool:
        records = [HostRecord(name, address) for name in names for address in LOOPBACKS]
        try:
            await there.call("have names resolve", partial(_published, resolver, records), LIMIT)
        except PluginFailed as trouble:
            self._fail(there.plugin, trouble)
            return False
        self.published, self.trouble = names, None
        return True

    def _names(self) -> Iterator[str]:
        for project in self._projects:
            yield from hostnames(project.session, holders(project))

    def _ended(self, plugin: str, why: BaseException) -> None:
        self._fail(plugin, failure(plugin, "keep names resolving", why))
        self.end()

    def _fail(self, plugin: str, trouble: TaskmuxError) -> None:
        known, self.trouble = self.trouble, trouble
        if str(known) != str(trouble):
            log.warning("%s", trouble)
            facts = {"plugin": plugin, "reason": str(trouble), "hint": trouble.hint}
            self._services.bus.publish("plugin_failed", **facts)


async def _published(resolver: OpenResolver, records: Sequence[HostRecord]) -> None:
    # What was opened may be anything: it is not even looked at before it is over there.
    await resolver.publish(records)


@asynccontextmanager
async def naming(services: Services, projects: Projects) -> AsyncIterator[Naming]:
    """Keep the names of tasks resolving while inside."""
    names = Naming(services, projects)
    forget = services.bus.listen(names.note)
    async with create_task_group() as group:
        group.start_soon(names.keep)
        try:
            yield names
        finally:
            names.end()
            forget()
