"""Commands about the daemon where there is none, and the one that starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from taskmux import wire
from tests.cli.conftest import FakeDaemon, Taskmux, about

RESTING: dict[str, object] = {
    "ok": True, "running": False, "pid": None, "version": "0.1.0", "protocol": wire.PROTOCOL,
    "started_at": None, "api_port": None, "projects": 0, "tasks": 0, "reason": "",
    "listeners": [],
}  # fmt: skip


@pytest.mark.parametrize("line", ["daemon stop", "daemon status"])
def test_no_daemon_is_an_answer_and_none_is_started(
    line: str, taskmux: Taskmux, home: Path
) -> None:
    outcome = taskmux(*line.split(), "--json")
    assert (outcome.status, outcome.document) == (0, {**RESTING, "home": str(home)})
    assert taskmux(*line.split()).out == "The daemon is not running\n"
    assert not home.exists()


def test_without_a_daemon_the_projects_are_those_registered(
    taskmux: Taskmux, home: Path, config: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("=")
    home.mkdir()
    paths = {
        "shop": config,
        "bad": tmp_path / "bad.toml",
        "gone": tmp_path / "gone" / "taskmux.toml",
    }
    registry = {name: str(path) for name, path in paths.items()}
    (home / "registry.json").write_text(json.dumps(registry))
    rows = taskmux("daemon", "list", "--json").document["projects"]
    found = [(row["session"], row["config"], row["state"], row["tasks"]) for row in rows]
    assert found == [
        ("shop", registry["shop"], "ok", 2),
        ("bad", registry["bad"], "error", 0),
        ("gone", registry["gone"], "config_missing", 0),
    ]
    assert "bad.toml is not valid TOML" in taskmux("daemon", "list").out
    assert taskmux("daemon", "status", "--json").document["projects"] == 3


def test_no_projects_is_said(taskmux: Taskmux) -> None:
    assert taskmux("daemon", "list", "--json").document == {"projects": []}
    assert "No projects yet" in taskmux("daemon", "list").out


def test_a_stop_returns_when_the_process_is_gone(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    def shut_down() -> bytes:
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.close()
        return msgspec.json.encode(about(pid=child.pid)) + b"\n"

    daemon.answers |= {"hello": about(pid=child.pid), "shutdown": shut_down}
    outcome = taskmux("daemon", "stop", "--json")
    assert child.wait(timeout=0) == 0
    assert outcome.document == msgspec.to_builtins(
        about(pid=child.pid, running=False, reason="stopped")
    )
    assert daemon.params == {"resume": False}


def test_a_stop_is_told_to_people(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    daemon.answers |= {"hello": about(pid=gone.pid), "shutdown": about(pid=gone.pid)}
    assert taskmux("daemon", "stop").out == "The daemon is stopped\n"


def test_a_restart_has_the_next_daemon_go_on(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    daemon.answers |= {"hello": about(pid=gone.pid), "shutdown": about(pid=gone.pid)}
    assert taskmux("daemon", "restart", "--stop-tasks", "--json").document["running"]
    [request] = [one for one in daemon.asked if one["command"] == "shutdown"]
    assert request["params"] == {"resume": True, "listeners": None}


def test_a_port_that_changes_nothing_is_not_passed_over(
    daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers["hello"] = about(api_port=8765)
    outcome = taskmux("daemon", "start", "--port", "9000")
    assert outcome.err == "it runs already: `taskmux daemon restart --port 9000` moves it\n"
    assert "ws://127.0.0.1:8765" in outcome.out
    for same in ("8765", "0"):
        assert taskmux("daemon", "start", "--port", same).err == ""


def test_the_projects_are_those_of_the_daemon_on_that_port(
    daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers |= {
        "hello": about(api_port=8765),
        "list_projects": wire.ProjectsReport(projects=[]),
    }
    assert taskmux("daemon", "list", "--port", "8765", "--json").document == {"projects": []}
    outcome = taskmux("daemon", "list", "--port", "9000", "--json")
    assert (outcome.status, outcome.document["error_code"]) == (2, "E801")
    assert "9000" in outcome.document["error"]
    daemon.answers["hello"] = about(api_port=None)
    assert "without a WebSocket" in taskmux("daemon", "list", "--port", "9000").err


def test_a_project_that_is_not_there_is_not_registered(
    daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    outcome = taskmux("daemon", "register", "-c", "nowhere", "--json")
    assert (outcome.status, outcome.document["error_code"]) == (2, "E801")
    assert outcome.document["error"] == "--config nowhere: no such file or folder"
    assert daemon.asked == []


STAND_IN = """\
import json, os, socket, sys
fd = int(sys.argv[sys.argv.index("--ready-fd") + 1])
home = os.environ["TASKMUX_HOME"]
door = socket.socket(socket.AF_UNIX)
door.bind(home + "/daemon.sock")
door.listen()
if os.fork():
    os._exit(0)
os.write(fd, b"ready\\n")
os.close(fd)
for _ in range(3):
    line, _ = door.accept()
    with line, line.makefile("rwb") as file:
        request = json.loads(file.readline() or b"{}")
        if request:
            about = json.loads(os.environ["ABOUT"]) | {"pid": os.getpid(), "id": 1}
            file.write(json.dumps(about | {"version": " ".join(sys.argv[5:])}).encode() + b"\\n")
"""


def test_a_daemon_that_had_to_be_started_is_told_apart_from_the_answer(
    taskmux: Taskmux, tmp_path: Path, home: Path
) -> None:
    package = tmp_path / "lib" / "taskmux" / "daemon"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN)
    environ = {
        "PYTHONPATH": str(tmp_path / "lib"),
        "ABOUT": json.dumps(msgspec.to_builtins(about())),
    }
    outcome = taskmux("daemon", "start", "--port", "9999", "--json", **environ)
    assert outcome.status == 0, outcome
    assert outcome.document["version"] == "--port 9999"
    pid = outcome.document["pid"]
    assert outcome.err == f"started the taskmux daemon (pid {pid})\n"
    # The third connection is its last.
    assert taskmux("daemon", "status", "--json").document["pid"] == pid


def test_a_daemon_that_cannot_come_up_is_a_status_of_its_own(
    taskmux: Taskmux, home: Path, config: Path
) -> None:
    assert config.exists()
    home.write_text("in the way")
    outcome = taskmux("status", "--json")
    assert (outcome.status, outcome.document["error_code"]) == (3, "E306")
