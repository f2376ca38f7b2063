"""The host resolver that resolves nothing: for who has a DNS server, or a tunnel, that does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from taskmux.contracts import HostRecord, HostResolver, PluginContext
from taskmux.hookspecs import hookimpl


@hookimpl
def taskmux_host_resolvers() -> Iterator[HostResolver]:
    """Offer `noop`."""
    yield NoopResolver()


class NoopResolver:
    """Leaves the names of tasks to somebody else."""

    name = "noop"
    summary = "Touch nothing: the names are resolved by somebody else, or by nobody."

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Do nothing."""

    def advise(self, settings: Mapping[str, Any]) -> str:
        """Say that it is for others to resolve the names."""
        return (
            "have your own DNS or hosts file lead them to 127.0.0.1, or set host_resolver to"
            " another that `taskmux plugins` has; browsers and curl need neither"
        )

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[NoopResolver]:
        """Yield this resolver."""
        yield self

    async def publish(self, records: Sequence[HostRecord]) -> None:
        """Do nothing."""
