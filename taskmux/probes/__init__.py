"""The health probes that come with taskmux: a plugin like any other."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux.contracts import HealthProbe
from taskmux.hookspecs import hookimpl


@hookimpl
def taskmux_health_probes() -> Iterator[HealthProbe]:
    """Offer `health_url`, `health_check`, `tcp` and `alive`."""
    from .alive import AliveProbe
    from .check import CheckProbe
    from .tcp import TcpProbe
    from .url import UrlProbe

    yield UrlProbe()
    yield CheckProbe()
    yield TcpProbe()
    yield AliveProbe()
