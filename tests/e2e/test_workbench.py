"""A plugin of somebody else's, installed from its folder, from the command line to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site

ROOT = Path(__file__).parents[2]
WORKBENCH = ROOT / "examples" / "plugins" / "taskmux-workbench"

CONFIG = """
[tasks.worker]
command = "while :; do touch alive; sleep 0.05; done"
host = "worker"
health_probe = "heartbeat"
health_options = { file = "alive", max_age = 60 }
"""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has nothing but taskmux and the plugin."""
    venv = tmp_path_factory.mktemp("environment") / "venv"
    uv = [str(Path(sys.executable).with_name("uv")), "--quiet"]
    to = ["--python", str(venv / "bin" / "python"), "--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(venv)], check=True)
    folders = [str(ROOT), *map(str, sorted((ROOT / "plugins").iterdir())), str(WORKBENCH)]
    subprocess.run([*uv, "pip", "install", *to, *folders], check=True)
    return venv


@pytest.fixture
def taskmux(environment: Path, site: Site) -> Iterator[Run]:
    def run(*argv: str) -> Any:
        command = [str(environment / "bin" / "taskmux"), *argv, "--json"]
        done = subprocess.run(
            command, cwd=site.folder, env=site.environ, capture_output=True, check=False
        )
        return json.loads(done.stdout)

    yield run
    run("daemon", "stop")


def test_a_plugin_is_installed_and_used(taskmux: Run, site: Site, tmp_path: Path) -> None:
    names = tmp_path / "names"
    assert taskmux("config", "set", "host_resolver", "names_file")["ok"]
    assert taskmux("config", "set", "plugin.workbench.file", str(names))["ok"]
    [found] = [one for one in taskmux("plugins")["plugins"] if one["name"] == "workbench"]
    assert (found["ok"], found["distribution"]) == (True, "taskmux-workbench")
    assert {offer["name"] for offer in found["offers"]} == {"heartbeat", "names_file"}

    site.write(CONFIG)
    assert taskmux("check")["ok"]
    started = taskmux("start", "worker")
    assert (started["ok"], started["state"]) == (True, "running")
    [task] = taskmux("status")["tasks"]
    assert task["last_health"]["method"] == "heartbeat"
    assert task["last_health"]["reason"].startswith("alive was written")
    assert names.read_text().split() == [
        "127.0.0.1", "worker.shop.localhost", "::1", "worker.shop.localhost",
    ]  # fmt: skip
    assert taskmux("daemon", "stop")["ok"]
    assert not names.exists()


def test_what_it_cannot_mean_is_found_when_the_file_is_read(taskmux: Run, site: Site) -> None:
    site.write(CONFIG.replace("max_age = 60", 'max_age = "old"'))
    refused = taskmux("check")
    assert (refused["error_code"], refused["line"]) == ("E103", 7)
    assert "max_age is a number of seconds" in refused["error"]
