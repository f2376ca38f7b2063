"""Whether a task is reached by its name, beside how it is itself."""

from __future__ import annotations

import pytest

from taskmux.api.commands.reach import all_as_reached, as_reached, unreached
from taskmux.api.commands.warnings import exposed
from taskmux.routes import Holder
from taskmux.wire import HealthReport, HealthRow, LastHealth, ProxyReport
from tests.cli.conftest import task

UP = ProxyReport(bound=True, port=443, reason="on port 443")
DOWN = ProxyReport(bound=False, port=None, reason="no certificates can be made")
NOW = "2024-01-01T14:00:00.000Z"
LOST = LastHealth(False, "proxy", "no proxy", NOW)


@pytest.mark.parametrize(
    ("host", "hosts", "proxy", "why"),
    [
        ("api", {"api": Holder("api")}, UP, None),
        (None, {}, UP, None),
        (None, {}, DOWN, None),
        ("api", {"api": Holder("api")}, DOWN, "no proxy: no certificates can be made"),
        ("api", {}, UP, "the proxy does not know the host api"),
        ("*", {"api": Holder("api")}, UP, "the proxy does not know the host *"),
        ("api", {"api": Holder("web")}, UP, "the host api leads to web"),
        ("api", {"api": Holder("api", alias=True)}, UP, "the host api leads to api"),
    ],
)
def test_why_a_task_is_not_reached_by_its_name(
    host: str | None, hosts: dict[str, Holder], proxy: ProxyReport, why: str | None
) -> None:
    assert unreached("api", host, hosts, proxy) == why


@pytest.mark.parametrize(
    ("state", "healthy", "why", "after"),
    [
        ("running", True, None, (True, None)),
        ("running", True, "no proxy", (False, LOST)),
        # Whatever is wrong with itself says more than that nobody could reach it.
        ("unhealthy", False, "no proxy", (False, None)),
        ("stopped", False, "no proxy", (False, None)),
        ("completed", True, "no proxy", (True, None)),
    ],
)
def test_a_task_that_is_well_but_not_reached_is_not_healthy(
    state: str, healthy: bool, why: str | None, after: tuple[bool, LastHealth | None]
) -> None:
    report = as_reached(task("api", state=state, healthy=healthy), why, UP, NOW)
    assert (report.healthy, report.last_health) == after
    row = HealthRow("api", state, healthy, "tcp", "well", None)
    before = HealthReport(session="shop", healthy_count=int(healthy), total_count=1, tasks=[row])
    found = all_as_reached(before, {} if why is None else {"api": why}, NOW)
    assert found.healthy_count == int(after[0])
    told = ("proxy", why, NOW) if after[1] else ("tcp", "well", None)
    assert (found.tasks[0].method, found.tasks[0].reason, found.tasks[0].at) == told


def test_without_a_proxy_there_is_no_url() -> None:
    report = task("api", url="https://api.shop.localhost")
    assert as_reached(report, None, UP, NOW).url == "https://api.shop.localhost"
    assert as_reached(report, None, DOWN, NOW).url is None


@pytest.mark.parametrize(
    ("bind", "open_to_all"),
    [
        ("127.0.0.1", False), ("127.0.0.2", False), ("::1", False),
        ("0.0.0.0", True), ("::", True), ("192.0.2.7", True), ("fe80::1%eth0", True),
    ],
)  # fmt: skip
def test_a_proxy_that_the_network_reaches_is_told(bind: str, open_to_all: bool) -> None:
    said = f"the proxy is open to the network: proxy_bind is {bind}"
    assert exposed(bind, UP) == (said if open_to_all else None)
    assert exposed(bind, DOWN) is None
