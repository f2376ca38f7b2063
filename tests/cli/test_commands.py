"""Every command, for programs and for people, against a real socket with canned answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taskmux import wire
from tests.cli.conftest import EVIL, SHOWN, FakeDaemon, Taskmux, about, done, refusal, status, task

ACTIONS = wire.ActionsReport(
    ok=True, session="shop", results=[done("api", "started"), done("build", "already_running")]
)
SESSION = wire.SessionReport(session="shop", action="registered", config="/shop/taskmux.toml")
ADDED = wire.AddReport(session="shop", task="db", action="added", config="/shop/taskmux.toml")
HEALTH = wire.HealthReport(
    session="shop",
    healthy_count=1,
    total_count=2,
    tasks=[
        wire.HealthRow("api", "running", True, "http", "HTTP 200", "2024-01-01T14:00:00.000Z"),
        wire.HealthRow("web", "unhealthy", False, "tcp", "refused", "2024-01-01T14:00:01.000Z"),
    ],
)
INSPECT = wire.InspectReport(
    session="shop",
    task=task("api", last_health=wire.LastHealth(True, "http", "HTTP 200", "2024-01-01T14:00:00Z")),
    config={"command": "serve", "host": "api", "env": {"A": "b"}, "cwd": None},
    processes=[wire.ProcessReport(42, 1, "node serve.js", 1_500_000)],
    listening=[23417],
    log="/home/me/.taskmux/projects/shop/logs/api.log",
    last_health_failures=[],
    last_events=[{"ts": "2024-01-01T14:00:00.000Z", "seq": 1, "event": "task_started"}],
    last_lines=["2024-01-01T14:00:00.123 listening"],
)
WAITED = wire.WaitReport(
    ok=False, session="shop", until="ready", results=[done("api", "missed", state="failed")]
)
PROJECTS = wire.ProjectsReport(
    projects=[wire.ProjectReport("shop", "/shop/taskmux.toml", "error", "no such key", 3, 1)]
)


@pytest.mark.parametrize(
    ("argv", "command", "params", "answer", "exit_status", "people"),
    [
        ("status", "status", {}, status(task("api")), 0, "● Healthy  api"),
        ("ls", "status", {}, status(), 0, "No tasks yet"),
        ("health", "health", {}, HEALTH, 0, "1 of 2 well"),
        ("health -v", "health", {}, HEALTH, 0, "2024-01-01 14:00:00"),
        ("inspect api", "inspect", {"task": "api"}, INSPECT, 0, "node serve.js"),
        ("stop", "stop", {"tasks": []}, ACTIONS, 0, "✓ build  already running: HTTP 200"),
        (
            "stop api",
            "stop",
            {"task": "api"},
            done("api", "stopped", ms=120),
            0,
            "stopped in 120ms",
        ),
        ("kill api", "kill", {"task": "api"}, done("api", "killed"), 0, "✓ api  killed"),
        ("kill a b a", "kill", {"tasks": ["a", "b"]}, ACTIONS, 0, "✓ api"),
        (
            "wait api --for log:up --timeout 3",
            "wait",
            {"task": "api", "until": "log:up", "timeout": 3.0},
            WAITED,
            1,
            "✗ api  failed: HTTP 200",
        ),
        (
            "logs-clean",
            "clean_logs",
            {"tasks": []},
            done("api", "cleaned"),
            0,
            "its log is deleted",
        ),
        ("remove db", "remove", {"task": "db"}, ADDED, 0, "✓ db"),
    ],
)
@pytest.mark.usefixtures("config")
def test_both_audiences(
    argv: str,
    command: str,
    params: dict[str, Any],
    answer: wire.Report,
    exit_status: int,
    people: str,
    daemon: FakeDaemon,
    taskmux: Taskmux,
    config: Path,
) -> None:
    daemon.answers[command] = answer
    outcome = taskmux("--json", *argv.split())
    assert (outcome.status, outcome.err) == (exit_status, "")
    assert outcome.document == msgspec.to_builtins(answer)
    expected = {"config": str(config), "tasks": [], **params}
    asked = {"tasks": [], **daemon.params}
    assert asked == expected
    outcome = taskmux(*argv.split())
    assert (outcome.status, outcome.err) == (exit_status, "")
    assert people in outcome.out


@pytest.mark.parametrize("command", ["start", "restart"])
def test_a_start_takes_the_environment_of_the_shell_along(
    command: str, daemon: FakeDaemon, taskmux: Taskmux, config: Path
) -> None:
    daemon.answers[command] = ACTIONS
    outcome = taskmux(command, "api", "web", "--no-wait", "--timeout", "5", FRUIT="p\udcffar")
    assert outcome.status == 0
    assert daemon.params["environ"]["FRUIT"] == "p\ufffdar"
    facts = {key: daemon.params[key] for key in ("config", "tasks", "wait", "timeout")}
    expected = {"config": str(config), "tasks": ["api", "web"], "wait": False, "timeout": 5.0}
    assert facts == expected


@pytest.mark.usefixtures("config")
def test_starting_waits_a_minute_unless_told_otherwise(
    daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers["start"] = done("api", "started")
    taskmux("start", "api", "--if-stopped")
    asked = {key: daemon.params[key] for key in ("task", "wait", "timeout", "if_stopped")}
    assert asked == {"task": "api", "wait": True, "timeout": 60.0, "if_stopped": True}


@pytest.mark.usefixtures("config")
def test_one_failure_of_several_is_a_failure(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    failed = done(
        "web", "failed", ok=False, state="failed", error="web is failed: exited with 1",
        error_code="E217", hint="run `taskmux logs web`",
    )  # fmt: skip
    daemon.answers["start"] = wire.ActionsReport(
        ok=False, session="shop", results=[done("build", "started"), failed]
    )
    outcome = taskmux("start")
    assert outcome.status == 1
    assert outcome.out.splitlines() == [
        "✓ build  running: HTTP 200",
        "✗ web    web is failed: exited with 1",
        "         hint: run `taskmux logs web`",
    ]


@pytest.mark.usefixtures("config")
def test_what_a_stop_took_is_told(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["stop"] = done("api", "stopped", signal="SIGTERM", ms=5230, survivors=[7])
    assert taskmux("stop", "api").out == "✓ api  stopped by SIGTERM in 5.2s; still alive: 7\n"


def test_a_task_is_added_with_every_field(
    daemon: FakeDaemon, taskmux: Taskmux, config: Path
) -> None:
    daemon.answers["add"] = ADDED
    words = "--host db --cwd db --depends-on a --depends-on b --health-check ok --restart no"
    more = ["--manual", "--oneshot", "--env", "A=b=c", "--health-url", "http://localhost"]
    assert taskmux("add", "db", "run --json", *words.split(), *more).status == 0
    assert daemon.params == {
        "config": str(config),
        "task": "db",
        "command": "run --json",
        "fields": {
            "cwd": "db",
            "host": "db",
            "type": "oneshot",
            "auto_start": False,
            "depends_on": ["a", "b"],
            "health_url": "http://localhost",
            "health_check": "ok",
            "restart_policy": "no",
            "env": {"A": "b=c"},
        },
    }


@pytest.mark.parametrize("pair", ["A", "=b", ""])
@pytest.mark.usefixtures("config")
def test_a_variable_needs_a_name_and_a_value(pair: str, taskmux: Taskmux) -> None:
    outcome = taskmux("add", "db", "run", "--env", pair, "--json")
    assert (outcome.status, outcome.document["error_code"]) == (2, "E801")


@pytest.mark.usefixtures("config")
def test_a_refusal_is_the_same_for_both(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["inspect"] = refusal(
        "E200", "no task named 'apo'", "did you mean 'api'?", task="apo"
    )
    assert taskmux("inspect", "apo", "--json").document == {
        "ok": False,
        "error": "no task named 'apo'",
        "error_code": "E200",
        "hint": "did you mean 'api'?",
        "task": "apo",
    }
    outcome = taskmux("inspect", "apo")
    said = "Error [E200]: no task named 'apo'\nhint: did you mean 'api'?\n"
    assert (outcome.status, outcome.out, outcome.err) == (1, "", said)


@pytest.mark.parametrize(
    "answer",
    [
        status(task(EVIL, reason=EVIL, healthy=False, url=EVIL, command=EVIL), session=EVIL),
        status(state="error", error=EVIL),
        status(
            task("api", host="api", tunnel=wire.TunnelReport(EVIL, EVIL, EVIL, EVIL)),
            proxy=wire.ProxyReport(False, None, EVIL),
        ),
        refusal("E200", EVIL, "try again"),
        refusal("E200", "no", EVIL),
        refusal("E306", "no", None, log=[EVIL]),
    ],
)
@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.usefixtures("config")
def test_nothing_from_outside_drives_the_terminal(
    answer: object, terminal: bool, daemon: FakeDaemon, taskmux: Taskmux
) -> None:
    daemon.answers["status"] = answer
    outcome = taskmux("status", terminal=terminal, COLUMNS="200")
    shown = outcome.out + outcome.err
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert SHOWN in shown


@pytest.mark.usefixtures("config")
def test_every_other_picture_is_harmless_too(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    row = wire.HealthRow(EVIL, "unhealthy", False, EVIL, EVIL, EVIL)
    evil = {"ts": EVIL, "event": EVIL, "session": EVIL, EVIL: EVIL}
    daemon.answers |= {
        "health": wire.HealthReport(session="shop", healthy_count=0, total_count=1, tasks=[row]),
        "start": done(EVIL, "failed", ok=False, error=EVIL, hint=EVIL),
        "stop": done(EVIL, "stopped", signal=EVIL),
        "list_projects": wire.ProjectsReport(
            projects=[wire.ProjectReport(EVIL, EVIL, "error", EVIL, 1, 0)]
        ),
        "hello": about(reason=EVIL, version=EVIL),
        "register": wire.SessionReport(session=EVIL, action="registered", config=EVIL),
        "inspect": wire.InspectReport(
            session=EVIL,
            task=task(EVIL, reason=EVIL, cwd=EVIL, url=EVIL),
            config={EVIL: EVIL, "env": {EVIL: EVIL}},
            processes=[wire.ProcessReport(1, 1, EVIL, 1)],
            listening=[],
            log=EVIL,
            last_health_failures=[evil],
            last_events=[evil],
            last_lines=[EVIL],
        ),
    }
    commands = ["health -v", "start", "stop", "daemon list", "daemon status", "daemon register"]
    for command in [*commands, "inspect x"]:
        outcome = taskmux(*command.split(), terminal=True, COLUMNS="200")
        assert SHOWN in outcome.out, command
        assert not {"\x07", "\u202e"} & set(outcome.out), command
        assert "\x1b]" not in outcome.out, command


@pytest.mark.parametrize(
    ("argv", "command", "params", "answer", "people"),
    [
        ("daemon status", "hello", {}, about(), "The daemon is running (pid 4711, taskmux 0.1.0)"),
        ("daemon start", "hello", {}, about(), "1 project, 2 tasks"),
        ("daemon list", "list_projects", {}, PROJECTS, "no such key"),
        ("daemon unregister shop", "unregister", {"session": "shop"}, SESSION, "shop: registered"),
    ],
)
def test_commands_about_the_daemon(
    argv: str,
    command: str,
    params: dict[str, Any],
    answer: wire.Report,
    people: str,
    daemon: FakeDaemon,
    taskmux: Taskmux,
) -> None:
    daemon.answers[command] = answer
    outcome = taskmux(*argv.split(), "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.document == msgspec.to_builtins(answer)
    assert daemon.params == params
    assert people in taskmux(*argv.split()).out


def test_where_the_daemon_listens_is_told(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["hello"] = about()
    assert taskmux("daemon", "status").out.endswith("\n  ws://127.0.0.1:8765\n")
    daemon.answers["hello"] = about(api_port=None, reason="port 8765 is taken")
    assert taskmux("daemon", "status").out.endswith("\n  no WebSocket: port 8765 is taken\n")


@pytest.mark.parametrize(
    ("words", "path"),
    [("", "taskmux.toml"), ("-c . -f", "taskmux.toml"), ("-c other.toml", "other.toml")],
)
def test_a_project_is_registered_by_its_file_or_its_folder(
    words: str, path: str, daemon: FakeDaemon, taskmux: Taskmux, config: Path
) -> None:
    daemon.answers["register"] = SESSION
    (config.parent / "other.toml").touch()
    assert taskmux("daemon", "register", *words.split()).status == 0
    expected = {"config": str(config.parent / path), "force": "-f" in words}
    assert daemon.params == expected


@pytest.mark.usefixtures("config")
def test_a_stream_of_several_is_one_document_each(taskmux: Taskmux, home: Path) -> None:
    home.mkdir()
    event = {"ts": "2024-01-01T14:00:00.000Z", "seq": 1, "event": "task_ready", "session": "shop"}
    (home / "events.jsonl").write_text(json.dumps(event) + "\n")
    outcome = taskmux("events", "--json")
    assert outcome.document == {"events": [event], "count": 1, "next": 1}
