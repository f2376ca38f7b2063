"""Tables at every width."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from rich.cells import cell_len
from rich.text import Text

from taskmux import wire
from taskmux.cli import tables
from taskmux.cli.columns import Column, fit, lines
from tests.cli.conftest import FakeDaemon, Taskmux, status, task

NOW = datetime(2024, 1, 1, 17, 12, 3, tzinfo=UTC)

REASON = "exited with 1; next try in 4 s (2 of 5); " + "it said that the database is away " * 3

SHOP = status(
    task("api", host="api", url="https://api.shop.localhost:8443", command="uv run api " * 5),
    task("worker", state="backoff", running=False, healthy=False, reason=REASON, restarts=2),
    task("db", state="stopped", running=False, healthy=False, reason="stopped on request"),
    task("日本", state="unhealthy", healthy=False, reason="HTTP 500"),
)


def draw(report: wire.StatusReport, width: int) -> list[str]:
    return [line.plain for line in tables.status(report, width, NOW)]


@pytest.mark.parametrize("width", [32, 40, 60, 80, 100, 120, 200])
def test_state_task_and_reason_are_there_at_any_width(width: int) -> None:
    drawn = draw(SHOP, width)
    text = "\n".join(drawn)
    for word in (
        "● Healthy",
        "● Backoff",
        "○ Stopped",
        "● Unhealthy",
        "api",
        "worker",
        "db",
        "日本",
    ):
        assert word in text
    said = " ".join(text.replace("└", "").split())
    assert " ".join(REASON.split()) in said
    assert "HTTP 500" in said
    assert "stopped on request" in said
    assert max(cell_len(line) for line in drawn) <= width


def test_less_important_columns_go_first() -> None:
    headings = [draw(SHOP, width)[2].split() for width in (200, 110, 90, 80, 70, 60, 40)]
    assert headings[0] == [
        "State",
        "Task",
        "URL",
        "Up",
        "Restarts",
        "CPU",
        "Memory",
        "Command",
        "Note",
    ]
    for wider, narrower in pairwise(headings):
        assert set(narrower) <= set(wider)
    assert headings[3][:4] == ["State", "Task", "URL", "Up"]
    assert headings[-1] == ["State", "Task"]


def test_a_row_says_what_a_task_uses() -> None:
    row = draw(SHOP, 200)[3]
    assert row.startswith("● Healthy    api     https://api.shop.localhost:8443  3h 12m")
    assert "25%" in row
    assert "84 MB" in row


def test_what_is_not_as_it_should_be_is_said() -> None:
    missing = wire.ProxyReport(False, None, "port 443 needs root")
    text = "\n".join(draw(status(task("api", host="api"), proxy=missing), 80))
    assert "No proxy: port 443 needs root" in text
    assert "Auto-restart: active (pid 4711)" in text
    assert "No proxy" not in "\n".join(draw(status(task("api"), proxy=missing), 80))
    assert "is gone" in "\n".join(draw(status(state="config_missing", error="gone"), 80))
    assert "no such key" in "\n".join(draw(status(state="error", error="no such key"), 80))


def test_a_task_that_runs_says_what_it_should_not_do() -> None:
    text = "\n".join(draw(status(task("web", reason="listening on 5173, expected 23417")), 80))
    assert "└ listening on 5173, expected 23417" in text
    assert "restart it" in "\n".join(draw(status(task("web", restart_needed=True)), 80))
    assert "HTTP 200" not in "\n".join(draw(status(task("web")), 80))


def test_only_what_runs_and_is_well_is_called_healthy() -> None:
    words = {"running": "● Healthy", "completed": "✓ Completed", "starting": "◌ Starting"}
    for word, shown in words.items():
        assert tables.state(word, healthy=word != "starting").plain == shown
    assert tables.state("running", healthy=False).plain == "● Running"
    assert tables.state("failed", healthy=False).style == "bold red"


def test_health_gives_the_reason_of_what_is_not_well() -> None:
    at = "2024-01-01T14:00:00.000Z"
    rows = [
        wire.HealthRow("api", "running", True, "tcp", "it answers", at),
        wire.HealthRow("web", "unhealthy", False, "tcp", "it refuses", at),
    ]
    report = wire.HealthReport(session="shop", healthy_count=1, total_count=2, tasks=rows)
    brief = "\n".join(line.plain for line in tables.health(report, 80, verbose=False))
    assert "it refuses" in brief
    assert "it answers" not in brief
    whole = "\n".join(line.plain for line in tables.health(report, 80, verbose=True))
    assert "it answers" in whole
    assert "tcp" in whole


def test_a_project_that_is_wrong_is_seen() -> None:
    rows = [
        wire.ProjectReport("shop", "/shop/taskmux.toml", "ok", None, 3, 1),
        wire.ProjectReport("bad", "/bad/taskmux.toml", "error", "no such key", 0, 0),
    ]
    drawn = list(tables.projects(wire.ProjectsReport(projects=rows), 80))
    assert [str(span.style) for line in drawn for span in line.spans if span.style] == [
        *["bold"] * 5, "bold", "red",
    ]  # fmt: skip
    assert drawn[1].plain.split() == ["shop", "ok", "1", "of", "3", "/shop/taskmux.toml"]


def test_a_port_is_shown_if_somebody_answers_there() -> None:
    tcp, alive, printed = (
        task(name, last_health=wire.LastHealth(True, name, "well", "2024-01-01T14:00:00Z"))
        for name in ("tcp", "alive", "ready_log")
    )
    for shown, one in (
        (True, tcp),
        (False, alive),
        (False, printed),
        (False, task("x")),
        (True, task("x", host="x")),
    ):
        assert ("127.0.0.1:23417" in "".join(draw(status(one), 80))) is shown


def test_why_a_task_was_not_started_with_the_others_is_seen() -> None:
    rests = {"state": "stopped", "running": False, "healthy": False, "reason": "not started yet"}
    manual, automatic = (task(f"t{auto}", auto_start=auto, **rests) for auto in (False, True))
    _, _, _, first, second, *_ = draw(status(manual, automatic), 200)
    assert first.endswith("not started yet; manual")
    assert second.endswith("not started yet")
    assert "manual" not in "".join(draw(status(task("up", auto_start=False)), 200))


def test_without_tasks_it_is_said_how_to_add_one() -> None:
    report = wire.HealthReport(session="shop", healthy_count=0, total_count=0, tasks=[])
    [line] = tables.health(report, 80, verbose=False)
    assert line.plain.startswith("No tasks yet: taskmux add ")


def test_colour_only_where_somebody_sees_it(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["status"] = SHOP
    line = ("--project", "shop", "status")
    assert "\x1b[" in taskmux(*line, terminal=True, TERM="xterm").out
    assert "\x1b" not in taskmux(*line).out
    assert "\x1b" not in taskmux(*line, terminal=True, NO_COLOR="1").out
    assert "\x1b" not in taskmux(*line, terminal=True, TERM="dumb").out


def test_a_pipe_gets_every_column(daemon: FakeDaemon, taskmux: Taskmux) -> None:
    daemon.answers["status"] = SHOP
    assert "Command" in taskmux("--project", "shop", "status", COLUMNS="").out
    assert "Command" not in taskmux("--project", "shop", "status", COLUMNS="80").out


def columns(*specs: tuple[str, int, int]) -> list[Column]:
    return [Column(text[:2], [Text(text)], rank, shortest) for text, rank, shortest in specs]


@pytest.mark.parametrize(
    ("specs", "width", "drawn"),
    [
        ([("aaaa", 0, 0), ("bbbb", 1, 0), ("cccc", 2, 0)], 16, "aaaa  bbbb  cccc"),
        ([("aaaa", 0, 0), ("bbbb", 1, 0), ("cccc", 2, 0)], 15, "aaaa  bbbb"),
        ([("aaaa", 0, 0), ("bbbb", 2, 0), ("cccc", 1, 0)], 15, "aaaa  cccc"),
        ([("aaaa", 0, 0), ("bbbb", 1, 0)], 9, "aaaa"),
        ([("aaaa", 0, 0)], 2, "aaaa"),
        ([("aaaa", 0, 0), ("bbbbbb", 1, 4)], 10, "aaaa  bbb…"),
        ([("aaaa", 0, 0), ("bbbbbb", 1, 4)], 9, "aaaa"),
        ([("aaaaaa", 0, 3), ("bbbbbb", 1, 4)], 11, "aaaa…  bbb…"),
        ([("aaaa", 0, 0), ("—", 1, 0)], 40, "aaaa"),
    ],
)
def test_columns_are_cut_then_dropped(
    specs: Sequence[tuple[str, int, int]], width: int, drawn: str
) -> None:
    _, row = lines(fit(columns(*specs), width))
    assert row.plain == drawn
