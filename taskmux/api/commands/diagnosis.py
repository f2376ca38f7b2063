"""How well the daemon is itself: what `doctor` cannot see from outside."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from taskmux import wire
from taskmux.projects import holders
from taskmux.wire import Finding

from .house import House, Names
from .warnings import exposed, warnings

SHOWN = 3
"""Names in a sentence; of more, their number."""


async def diagnose(house: House, request: wire.Diagnose) -> wire.DoctorReport:
    """Look at doors, names, the proxy, and what could not be written."""
    await house.names.settle()
    found = [_websocket(house.about()), _names(house.names), _proxy(house), *_unwritten(house)]
    names = list(house.names.published)
    return wire.DoctorReport(ok=all(one.ok for one in found), checks=found, names=names)


def _websocket(about: wire.DaemonReport) -> Finding:
    fix = None
    if about.api_port is None:
        fix = "run `taskmux daemon restart --port PORT`, or `taskmux config set api_port PORT`"
    return Finding("WebSocket", about.api_port is not None, about.reason, fix)


def _names(names: Names) -> Finding:
    wanted = names.wanted()
    said = ", ".join(wanted[:SHOWN]) if len(wanted) <= SHOWN else f"{len(wanted)} names"
    if names.trouble is not None:
        # Without a name to resolve nobody misses anything.
        return Finding("names", not wanted, str(names.trouble), names.trouble.hint)
    return Finding("names", ok=True, detail=f"{names.resolver}: {said or 'no task has a host'}")


def _proxy(house: House) -> Finding:
    settings, proxy = house.services.settings, house.proxy()
    missed = settings.proxy_enabled and any(holders(project) for project in house.projects)
    said = proxy.reason if proxy.port is None else f"on port {proxy.port}"
    if proxy.port is not None and proxy.hint is not UNSET:
        said += f": {proxy.reason}"  # a finding of its own says what to do about it
    said = "; ".join(filter(None, (said, exposed(settings.proxy_bind, proxy))))
    fix = proxy.hint if isinstance(proxy.hint, str) else None
    return Finding("proxy", proxy.bound or not missed, said, fix)


def _unwritten(house: House) -> Iterator[Finding]:
    said = dict.fromkeys(one for project in house.projects for one in warnings(house, project))
    for warning in said:
        yield Finding(
            "files", ok=False, detail=warning, fix="make room, or see who may write there"
        )
