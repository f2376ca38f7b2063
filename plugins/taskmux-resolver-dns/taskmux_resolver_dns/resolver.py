"""`dns_server`: the resolver that answers for itself."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from logging import Logger
from typing import TYPE_CHECKING, Any

from anyio import create_task_group

from .answer import Transport, answer
from .delegation import HOSTS
from .server import Server
from .settings import DnsSettings, install_options, read_settings
from .sockets import listening
from .system import System
from .zone import zone_of

if TYPE_CHECKING:
    from taskmux.contracts import HostRecord, PluginContext


USUAL = DnsSettings()


class Names:
    """The names that are answered for, and the answer to a query for one."""

    def __init__(self, tld: str, ipv6: bool) -> None:
        self._tld, self._ipv6 = tld, ipv6
        self._zone = zone_of(tld, (), ipv6)

    async def publish(self, records: Sequence[HostRecord]) -> None:
        """Answer exactly for `records`, and for whatever is below the managed domain."""
        self._zone = zone_of(self._tld, records, self._ipv6)

    def answer(self, query: bytes, transport: Transport) -> bytes | None:
        """Return what to answer to a query now."""
        return answer(query, self._zone, transport)


class DnsResolver:
    """Answers for the names itself, and has the system ask."""

    name = "dns_server"
    summary = "Answer for the names by DNS on 127.0.0.1; new names need no root."

    def __init__(self, system: System | None = None) -> None:
        self._system = system or System()

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Have the system ask us, unless `dns_install` is off; `names` need no preparing."""
        found = read_settings(settings)
        if found.install:
            changed, _ = self._system.install(found.tld, found.port)
            if changed:
                self._system.flush()

    def advise(self, settings: Mapping[str, Any]) -> str:
        """Return how the system comes to ask us, or what else there is."""
        found = read_settings(settings)
        if found.tld != USUAL.tld:
            return f'set `dns_managed_tld = "{USUAL.tld}"`: tasks\' names are below that'
        command = shlex.join(["sudo", "taskmux", "dns", "install", *install_options(found)])
        return f"run `{command}`, which says what comes of it; if nothing does, {HOSTS}"

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[Names]:
        """Answer queries until left."""
        async with serving(read_settings(context.settings), context.log) as names:
            yield names


@asynccontextmanager
async def serving(settings: DnsSettings, log: Logger) -> AsyncIterator[Names]:
    """Answer queries while inside; yield what is answered from."""
    with listening(settings.port) as sockets:
        names = Names(settings.tld, sockets.ipv6)
        async with _beside(partial(Server(names.answer, log).serve, sockets)):
            yield names


@asynccontextmanager
async def _beside(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run `work` while inside. What either raises comes out as it is, not in a group."""
    try:
        async with create_task_group() as group:
            group.start_soon(work)
            yield
            group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
