"""Whether tasks are reached by their names: the one thing about them that no probe of theirs sees.

Pure. Whoever switched the proxy off reaches them otherwise, and is told nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from taskmux.lifecycle import State
from taskmux.routes import Holder
from taskmux.wire import HealthReport, LastHealth, ProxyReport, TaskReport

METHOD = "proxy"
"""What a health that comes from here calls the probe."""


def unreached(
    task: str, host: str | None, hosts: Mapping[str, Holder], proxy: ProxyReport
) -> str | None:
    """Return why a task cannot be reached by its name; None if it can, or has none.

    `hosts` says who has each host.
    """
    if host is None:
        return None
    if not proxy.bound:
        return f"no proxy: {proxy.reason}"
    holder = hosts.get(host)
    if holder is None:
        return f"the proxy does not know the host {host}"
    return None if holder == Holder(task) else f"the host {host} leads to {holder.name}"


def as_reached(task: TaskReport, why: str | None, proxy: ProxyReport, now: str) -> TaskReport:
    """Return how a task is that is well by itself, but cannot be reached because of `why`."""
    if not proxy.bound:
        task = replace(task, url=None)
    if why is None or task.state != State.RUNNING:
        return task
    return replace(task, healthy=False, last_health=LastHealth(False, METHOD, why, now))


def all_as_reached(report: HealthReport, whys: Mapping[str, str], now: str) -> HealthReport:
    """Return how all tasks are; `whys` says of each that cannot be reached why that is."""
    rows = [
        replace(row, healthy=False, method=METHOD, reason=whys[row.name], at=now)
        if row.name in whys and row.state == State.RUNNING
        else row
        for row in report.tasks
    ]
    lost = sum(row.method == METHOD for row in rows)
    return replace(report, tasks=rows, healthy_count=report.healthy_count - lost)
