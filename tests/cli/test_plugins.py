from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taskmux import wire
from tests.cli.conftest import EVIL, SHOWN, FakeDaemon, Taskmux, about, refusal
from tests.parrot import install

MODULE = """
from pluggy import HookimplMarker

hookimpl = HookimplMarker("taskmux")


@hookimpl
def taskmux_commands():
    yield "hum", dict
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin `parrot` as an installer would have put it there."""
    return install(tmp_path / "site", "parrot_to_list", MODULE, monkeypatch)


def known(**changes: Any) -> wire.PluginsReport:
    """Return what a daemon says that has the parrot."""
    fields: dict[str, Any] = {
        "name": "parrot",
        "distribution": "parrot",
        "version": "1.2",
        "enabled": True,
        "listens": False,
        "offers": [],
        "ok": True,
        "reason": None,
        "hint": None,
    }
    return wire.PluginsReport(plugins=[wire.PluginReport(**(fields | changes))])


def row(taskmux: Taskmux, name: str = "parrot") -> dict[str, Any]:
    listed = taskmux("plugins", "--json").document["plugins"]
    [found] = [one for one in listed if one["name"] == name]
    return dict(found)


def test_without_a_daemon_what_is_installed_is_shown(taskmux: Taskmux, site: Path) -> None:
    assert row(taskmux) == {
        "name": "parrot",
        "distribution": "parrot",
        "version": "1.2",
        "enabled": True,
        "listens": False,
        "offers": [{"kind": "command", "name": "hum", "summary": ""}],
        "ok": True,
        "reason": None,
        "hint": None,
        "loaded": None,
    }
    assert "✓ parrot          parrot 1.2\n    command  hum\n" in taskmux("plugins").out


@pytest.mark.parametrize(
    ("there", "loaded", "said"),
    [
        (known(), True, ""),
        (known(version="1.1"), False, "not in the daemon yet: `taskmux daemon restart` loads it"),
        (known(enabled=False), False, "not in the daemon yet"),
        (wire.PluginsReport(plugins=[]), False, "not in the daemon yet"),
    ],
)
def test_a_plugin_that_the_daemon_does_not_use_yet_is_told(
    taskmux: Taskmux,
    site: Path,
    daemon: FakeDaemon,
    there: wire.PluginsReport,
    loaded: bool,
    said: str,
) -> None:
    daemon.answers["list_plugins"] = there
    assert row(taskmux)["loaded"] is loaded
    assert said in taskmux("plugins").out.partition("parrot 1.2")[2].partition("✓")[0]


def test_what_the_daemon_knows_of_its_failures_is_told(
    taskmux: Taskmux, site: Path, daemon: FakeDaemon
) -> None:
    why = "parrot could not take note of an event: no answer within 10 s"
    daemon.answers["list_plugins"] = known(ok=False, reason=why + EVIL)
    assert row(taskmux)["reason"] == why + EVIL
    assert why + SHOWN in taskmux("plugins").out
    daemon.answers |= {"hello": about(), "diagnose": refusal("E900", "not today")}
    finding = [one for one in taskmux("doctor", "--json").document["checks"] if not one["ok"]]
    assert {"plugin parrot"} <= {one["name"] for one in finding}


@pytest.mark.parametrize(("used", "said"), [(True, "still in the daemon"), (False, "disabled")])
def test_one_that_is_disabled_may_still_be_in_the_daemon(
    taskmux: Taskmux, site: Path, daemon: FakeDaemon, used: bool, said: str
) -> None:
    daemon.answers["hello"] = about()
    assert taskmux("plugins", "disable", "parrot").status == 0
    daemon.answers["list_plugins"] = known(enabled=used)
    assert (row(taskmux)["enabled"], row(taskmux)["loaded"]) == (False, used)
    shown = taskmux("plugins").out
    assert said in shown
    assert ("still in the daemon" in shown) is used


def test_one_that_was_uninstalled_may_still_be_in_the_daemon(
    taskmux: Taskmux, daemon: FakeDaemon
) -> None:
    daemon.answers["list_plugins"] = known(name="ghost")
    ghost = row(taskmux, "ghost")
    assert (ghost["ok"], ghost["loaded"]) == (False, False)
    assert ghost["reason"] == "it was uninstalled, and the daemon still uses it"
    assert ghost["hint"] == "run `taskmux daemon restart`"
    daemon.answers["list_plugins"] = known(name="ghost", enabled=False)
    assert "ghost" not in taskmux("plugins").out


def test_a_command_that_taskmux_has_itself_is_told(taskmux: Taskmux, site: Path) -> None:
    (site / "parrot_to_list.py").write_text(MODULE + '    yield "status", dict\n')
    parrot = row(taskmux)
    assert parrot["reason"] == "its command status cannot be used: taskmux has one of that name"
    assert (parrot["ok"], len(parrot["offers"])) == (False, 2)


def test_disabling_imports_nothing(taskmux: Taskmux, site: Path) -> None:
    (site / "parrot_to_list.py").write_text("import os; os._exit(7)")
    assert taskmux("plugins", "disable", "parrot").status == 0
    assert row(taskmux)["enabled"] is False
    (site / "parrot-1.2.dist-info" / "entry_points.txt").unlink()
    assert taskmux("plugins", "enable", "parrot").status == 0
    unknown = taskmux("plugins", "disable", "parot", "--json").document
    assert unknown["error_code"] == "E702"
