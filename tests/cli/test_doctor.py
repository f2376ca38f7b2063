from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from taskmux import wire
from taskmux.cli import checkup
from tests.cli.conftest import FakeDaemon, Taskmux


def found(taskmux: Taskmux) -> dict[str, Any]:
    return {one["name"]: one for one in taskmux("doctor", "--json").document["checks"]}


@pytest.fixture(autouse=True)
def free(home: Path) -> int:
    """Return a port nobody has, which the proxy is to have."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "config.toml").write_text(f"proxy_https_port = {port}\n")
    (home / "config.toml").chmod(0o600)
    return port


def test_where_all_is_well_it_says_so(taskmux: Taskmux, free: int, config: Path) -> None:
    checks = found(taskmux)
    assert [name for name, one in checks.items() if not one["ok"]] == []
    assert checks["taskmux.toml"]["detail"] == "shop: 2 tasks"
    assert checks["daemon"]["detail"].startswith("not running")
    outcome = taskmux("doctor")
    assert (outcome.status, outcome.out.splitlines()[-1]) == (0, "All is well")


def test_what_is_amiss_comes_with_what_to_do(
    taskmux: Taskmux, home: Path, free: int, config: Path
) -> None:
    config.write_text('name = "shop"\n[tasks.a]\ncomand = "x"\n')
    (home / "config.toml").write_text('proxy_bind = "nowhere at all"\n')
    checks = found(taskmux)
    assert not checks["taskmux.toml"]["ok"]
    assert checks["taskmux.toml"]["fix"] == "did you mean 'command'?"
    assert not checks["config.toml"]["ok"]
    outcome = taskmux("doctor")
    assert outcome.status == 1
    assert "fix: did you mean 'command'?" in outcome.out


def test_who_holds_the_port_is_named(taskmux: Taskmux, free: int) -> None:
    with socket.create_server(("127.0.0.1", free)):
        check = found(taskmux)[f"port {free}"]
    assert not check["ok"]
    assert f"(pid {os.getpid()}) has it" in check["detail"]


def test_a_port_the_daemon_holds_is_well(free: int) -> None:
    with socket.create_server(("127.0.0.1", free)):
        assert checkup.port(free, [free]).ok


def test_a_folder_that_others_own_is_told(home: Path, taskmux: Taskmux) -> None:
    if os.geteuid() != 0:
        pytest.skip("gives a folder away")
    os.chown(home, 12345, -1)
    check = found(taskmux)["folder"]
    assert (check["ok"], check["fix"]) == (False, f"sudo chown 0 {home}")


ABOUT = wire.DaemonReport(
    running=True, pid=1, version="0.0.1", protocol=1, started_at=None, home="/", api_port=8765,
    projects=0, tasks=0, reason="",
)  # fmt: skip


def test_what_the_daemon_knows_is_part_of_it(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    trouble = wire.Finding("names", ok=False, detail="new names need root", fix="use sudo")
    names = ["localhost"]
    daemon.answers["hello"] = ABOUT
    daemon.answers["diagnose"] = wire.DoctorReport(ok=False, checks=[trouble], names=names)
    daemon.answers["list_plugins"] = wire.PluginsReport(plugins=[])
    checks = found(taskmux)
    assert checks["names"] == {
        "name": "names", "ok": False, "detail": "new names need root", "fix": "use sudo",
    }  # fmt: skip
    assert checks["resolving"]["detail"] == "localhost lead here"
    assert not checks["daemon"]["ok"]
    assert "taskmux daemon restart" in checks["daemon"]["fix"]


def test_a_name_that_leads_nowhere_is_told() -> None:
    assert not checkup.resolves(["nobody.invalid"]).ok
