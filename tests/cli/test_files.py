"""Commands about files: taskmux.toml, the host config, and the schemas. No daemon."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

import msgspec
import pytest

from taskmux import wire
from taskmux.cli.schemas import REPORTS, REQUESTS
from tests.cli.conftest import FakeDaemon, Taskmux, about, status, task


def test_a_taskmux_toml_is_checked(taskmux: Taskmux, config: Path, home: Path) -> None:
    expected = {"ok": True, "name": "shop", "config": str(config), "tasks": ["api", "web"]}
    assert taskmux("check", "--json").document == expected
    assert taskmux("check").out == f"✓ {config}: 2 tasks\n"
    assert not home.exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("=", "E101"),
        ("[tasks.a]\ncomand = 'x'", "E102"),
        ("[tasks.a]\ncommand = 1", "E103"),
        ("[tasks.a]\ncommand = 'x'\ndepends_on = ['b']", "E210"),
        ("[tasks.a]\ncommand = 'x'\ndepends_on = ['a']", "E211"),
    ],
)
@pytest.mark.parametrize("command", ["check", "graph"])
def test_what_is_wrong_with_it_is_an_error(
    command: str, text: str, code: str, taskmux: Taskmux, config: Path
) -> None:
    config.write_text(text)
    assert taskmux(command, "--json").document["error_code"] == code


def test_the_graph_is_nodes_edges_and_waves(taskmux: Taskmux, config: Path) -> None:
    assert config.exists()
    assert taskmux("graph", "--json").document == {
        "name": "shop",
        "nodes": ["api", "web"],
        "edges": [{"task": "web", "needs": "api", "condition": "healthy"}],
        "waves": [["api"], ["web"]],
    }
    assert taskmux("graph").out == " 1  api\n 2  web  ← api healthy\n"
    config.write_text("")
    assert "No tasks yet" in taskmux("graph").out


def test_settings_are_shown_with_what_is_default(taskmux: Taskmux, home: Path) -> None:
    path = home / "config.toml"
    assert taskmux("config", "path", "--json").document == {"path": str(path), "exists": False}
    changed = taskmux("config", "set", "api_port", "9000", "--json").document
    assert changed == {"ok": True, "path": str(path), "key": "api_port", "value": 9000}
    document = taskmux("config", "show", "--json").document
    assert document["settings"]["api_port"] == 9000
    assert "api_port" not in document["defaults"]
    assert "hook_timeout" in document["defaults"]
    assert "api_port = 9000\n" in taskmux("config", "show").out
    assert taskmux("config", "path").out == f"{path}\n"


@pytest.mark.parametrize("line", ["set nosuch 1", "set api_port x", "set api_port"])
def test_a_setting_that_makes_no_sense_changes_nothing(
    line: str, taskmux: Taskmux, home: Path
) -> None:
    outcome = taskmux("config", *line.split(), "--json")
    assert outcome.status == 2
    assert outcome.document["error_code"] in {"E104", "E801"}
    assert not (home / "config.toml").exists()


def test_settings_are_shown_as_the_file_has_them(taskmux: Taskmux, home: Path) -> None:
    for key, value in (("plugins.disabled", "a,b"), ("hosts_file", "/hosts"), ("ca", "mkcert")):
        assert taskmux("config", "set", key, value).status == 0
    shown = taskmux("config", "show").out
    settings = tomllib.loads(shown)
    written = tomllib.loads((home / "config.toml").read_text())
    assert written == {"plugins": {"disabled": ["a", "b"]}, "hosts_file": "/hosts", "ca": "mkcert"}
    assert settings | written == settings
    assert settings["host_resolver"] == "etc_hosts"


def test_what_is_not_set_is_said(taskmux: Taskmux, home: Path) -> None:
    shown = taskmux("config", "show").out
    assert "# hosts_file is not set\n# " not in shown
    assert "\n# hosts_file is not set\n" in shown
    assert "\n# plugins.disabled is not set\n" in shown
    home.mkdir()
    (home / "config.toml").write_text("[plugins]\ndisabled = []\n")
    assert "\nplugins.disabled = []\n" in taskmux("config", "show").out


def test_who_changes_a_setting_is_told_how_it_takes_effect(
    daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers["hello"] = about()
    outcome = taskmux("config", "set", "hook_timeout", "5", "--json")
    assert outcome.document["value"] == 5.0
    assert outcome.err == "the daemon (pid 4711) takes it up with `taskmux daemon restart`\n"


def test_a_secret_is_not_echoed(taskmux: Taskmux) -> None:
    for line in ("set tunnel.cloudflare.api_token hush", "show"):
        for outcome in (
            taskmux("config", *line.split()),
            taskmux("config", *line.split(), "--json"),
        ):
            assert outcome.status == 0
            assert "hush" not in outcome.out + outcome.err
    assert "hush" in taskmux("config", "show", "--reveal").out


def test_settings_written_at_once_are_all_kept(taskmux: Taskmux) -> None:
    keys = ["api_port", "dns_server_port", "proxy_https_port", "hook_timeout"]
    threads = [threading.Thread(target=taskmux, args=("config", "set", key, "77")) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settings = taskmux("config", "show", "--json").document["settings"]
    assert [settings[key] for key in keys] == [77] * 4


def test_every_message_has_a_schema(taskmux: Taskmux) -> None:
    names = taskmux("schema", "--json").document
    assert names["commands"]["start"] == "StartTasks"
    for name in (*names["reports"], *names["commands"], *names["commands"].values()):
        assert "$defs" in taskmux("schema", name, "--json").document
    assert "  StatusReport\n" in taskmux("schema").out
    assert "  start          StartTasks\n" in taskmux("schema").out
    assert taskmux("schema", "StatusReport").out.startswith("{\n")


def test_the_schemas_are_of_what_is_answered() -> None:
    assert {type(status(task("api"))), wire.ActionsReport} <= set(REPORTS.values())
    assert set(REQUESTS.values()) == set(wire.COMMANDS.values())
    assert all(issubclass(kind, msgspec.Struct) for kind in REPORTS.values())
