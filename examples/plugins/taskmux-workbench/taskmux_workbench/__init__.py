"""Two things for taskmux: a probe that waits for a heartbeat, and names for a dnsmasq."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux.contracts import HealthProbe, HostResolver
from taskmux.hookspecs import hookimpl


@hookimpl
def taskmux_health_probes() -> Iterator[HealthProbe]:
    """Offer `heartbeat`."""
    from .heartbeat import HeartbeatProbe

    yield HeartbeatProbe()


@hookimpl
def taskmux_host_resolvers() -> Iterator[HostResolver]:
    """Offer `names_file`."""
    from .names_file import NamesFileResolver

    yield NamesFileResolver()
