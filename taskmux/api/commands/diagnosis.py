"""How well the daemon is itself: what `doctor` cannot see from outside."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux import wire
from taskmux.wire import Finding

from .house import House, Names
from .warnings import warnings

SHOWN = 3
"""Names in a sentence; of more, their number."""


async def diagnose(house: House, request: wire.Diagnose) -> wire.DoctorReport:
    """Look at doors, names, and what could not be written."""
    await house.names.settle()
    found = [_websocket(house.about()), _names(house.names), *_unwritten(house)]
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


def _unwritten(house: House) -> Iterator[Finding]:
    said = dict.fromkeys(one for project in house.projects for one in warnings(house, project))
    for warning in said:
        yield Finding(
            "files", ok=False, detail=warning, fix="make room, or see who may write there"
        )
