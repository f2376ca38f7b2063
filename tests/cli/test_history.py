"""Output and events, read from files: no daemon is there, and none is started."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from taskmux.cli.kinds import KINDS
from tests.cli.conftest import Taskmux

ROOT = Path(__file__).parent.parent.parent

SCRIPT = [sys.executable, "-P", "-c", "from taskmux.cli import entry; entry()"]
"""What the installed command does: -P keeps the current folder out of the import path."""

API = b"""\
2024-01-01T14:00:00.100 [taskmux] run 1 started (pid 7)
2024-01-01T14:00:00.200 first
2024-01-01T14:00:01.000 [taskmux] run 2 started (pid 8)
2024-01-01T14:00:02.000 \x1b[31mred\x1b[0m \x1b]0;mine\x07error \xff
"""
WEB = b"2024-01-01T14:00:01.500 between\n"


@pytest.fixture
def folder(home: Path, config: Path) -> Path:
    """The folder of the logs of a project called `shop-2`, registered from `config`."""
    folder = home / "projects" / "shop-2" / "logs"
    folder.mkdir(parents=True)
    (folder / "api.log").write_bytes(API)
    (folder / "web.log").write_bytes(WEB)
    (home / "registry.json").write_text(json.dumps({"shop-2": str(config)}))
    return folder


@pytest.fixture(autouse=True)
def undisturbed(home: Path) -> Iterator[None]:
    yield
    assert not (home / "starting.lock").exists(), "a daemon was started"


@pytest.mark.usefixtures("folder")
def test_the_log_of_one_task_is_lines_of_text(taskmux: Taskmux) -> None:
    document = taskmux("logs", "api", "-n", "2", "--json").document
    lines = [
        "2024-01-01T14:00:01.000 [taskmux] run 2 started (pid 8)",
        "2024-01-01T14:00:02.000 red error \ufffd",
    ]
    assert document == {"task": "api", "lines": lines, "next": document["next"]}
    assert taskmux("logs", "api", "-n", "2").out.splitlines() == lines


@pytest.mark.usefixtures("folder")
def test_the_logs_of_all_are_one_by_time(taskmux: Taskmux) -> None:
    document = taskmux("logs", "--since", "2024-01-01T14:00:01", "--json").document
    assert document["tasks"] == ["api", "web"]
    assert [(line["task"], line["ts"]) for line in document["lines"]] == [
        ("api", "2024-01-01T14:00:01.000Z"),
        ("web", "2024-01-01T14:00:01.500Z"),
        ("api", "2024-01-01T14:00:02.000Z"),
    ]
    assert "2024-01-01T14:00:01.500 web | between\n" in taskmux("logs").out


@pytest.mark.usefixtures("folder")
def test_a_terminal_keeps_the_colours_and_nothing_else(taskmux: Taskmux) -> None:
    out = taskmux("logs", "-n", "1", "api", terminal=True, TERM="xterm").out
    assert "\x1b[31mred\x1b[0m error \ufffd" in out
    assert "\x1b]" not in out
    assert "\x1b[31m" not in taskmux("logs", "api", terminal=True, NO_COLOR="1").out


@pytest.mark.usefixtures("folder")
def test_raw_is_the_bytes_of_the_task() -> None:
    ended = subprocess.run(
        [*SCRIPT, "logs", "api", "-n1", "--raw"], capture_output=True, check=True
    )
    assert ended.stdout == b"\x1b[31mred\x1b[0m \x1b]0;mine\x07error \xff\n"


@pytest.mark.usefixtures("folder")
def test_raw_in_json_keeps_sequences(taskmux: Taskmux) -> None:
    [line] = taskmux("logs", "api", "-n1", "--raw", "--json").document["lines"]
    assert "\x1b[31mred" in line


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ("-g ERR -i", ["red error"]),
        ("-g ERR", []),
        ("-g first -C 1", ["[taskmux] run 1", "first", "[taskmux] run 2"]),
        ("--run -1", ["[taskmux] run 1", "first"]),
        ("--until 2024-01-01T14:00:00.150", ["[taskmux] run 1"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_lines_are_chosen(words: str, texts: list[str], taskmux: Taskmux) -> None:
    lines = taskmux("logs", "api", *words.split(), "--json").document["lines"]
    assert len(lines) == len(texts)
    assert all(text in line for text, line in zip(texts, lines, strict=True))


def test_reading_goes_on_after_the_cursor(taskmux: Taskmux, folder: Path) -> None:
    cursor = taskmux("logs", "api", "--json").document["next"]
    with (folder / "api.log").open("ab") as log:
        log.write(b"2024-01-01T14:00:03.000 later\n")
    document = taskmux("logs", "api", "--after", cursor, "--json").document
    assert document["lines"] == ["2024-01-01T14:00:03.000 later"]


@pytest.mark.parametrize("words", ["-g (", "--after nonsense", "--run 9", "--since yesterday"])
@pytest.mark.usefixtures("folder")
def test_what_makes_no_sense_is_no_empty_answer(words: str, taskmux: Taskmux) -> None:
    for command in (["logs", "api"], ["logs", "api", "-f"]):
        outcome = taskmux(*command, *words.split(), "--json")
        assert (outcome.status, outcome.document["error_code"]) == (2, "E801")


@pytest.mark.parametrize("line", ["logs apo", "logs -f apo", "events --task apo", "logs ../../x"])
@pytest.mark.usefixtures("folder")
def test_a_task_that_never_was_is_not_found(line: str, taskmux: Taskmux) -> None:
    outcome = taskmux(*line.split(), "--json")
    assert (outcome.status, outcome.document["error_code"]) == (1, "E200")


def test_the_log_of_a_removed_task_is_still_there(taskmux: Taskmux, folder: Path) -> None:
    (folder / "old.log").write_bytes(WEB)
    assert "between" in taskmux("logs", "old").out
    assert "old |" not in taskmux("logs").out


def test_logs_outlive_a_file_that_is_gone_or_wrong(
    taskmux: Taskmux, folder: Path, config: Path
) -> None:
    assert folder.is_dir()
    config.write_text("=")
    assert "between" in taskmux("logs", "web").out
    config.unlink()
    assert "between" in taskmux("--project", "shop-2", "logs", "web").out
    outcome = taskmux("logs", "web", "--json")
    assert outcome.document["hint"] == "its tasks may still run: add `--project shop-2`"


def test_a_project_never_registered_goes_by_its_name(
    taskmux: Taskmux, home: Path, config: Path
) -> None:
    assert config.exists()
    log = home / "projects" / "shop" / "logs" / "web.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(WEB)
    assert "between" in taskmux("logs", "web").out
    assert taskmux("logs", "--json").document["tasks"] == ["api", "web"]


def test_a_log_may_be_anywhere(taskmux: Taskmux, config: Path) -> None:
    config.write_text(config.read_text() + '\n[tasks.db]\ncommand = "db"\nlog_file = "x/db.log"\n')
    (config.parent / "x").mkdir()
    (config.parent / "x" / "db.log").write_bytes(WEB)
    assert "between" in taskmux("logs", "db").out


def test_an_unknown_project_has_no_logs(taskmux: Taskmux) -> None:
    outcome = taskmux("--project", "nosuch", "logs", "--json")
    assert (outcome.status, outcome.document["error_code"]) == (1, "E300")


def event(seq: int, **facts: object) -> dict[str, Any]:
    head = {"ts": f"2024-01-01T14:00:0{seq}.000Z", "seq": seq, "event": "task_ready"}
    return {**head, "session": "shop-2", "task": "api", **facts}


EVENTS = [
    event(1),
    event(2, task="web"),
    event(3, event="task_exited", code=1),
    event(4, session="x"),
]


@pytest.fixture
def history(home: Path, folder: Path) -> Path:
    assert folder.is_dir()
    path = home / "events.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in EVENTS))
    return path


@pytest.mark.parametrize(
    ("words", "seqs", "cursor"),
    [
        ("", [1, 2, 3], 3),
        ("--task web", [2], 2),
        ("-e task_exited -e task_ready", [1, 2, 3], 3),
        ("-e task_exited", [3], 3),
        ("-n 1", [3], 3),
        ("--after 2", [3], 3),
        ("--after 3", [], 3),
        ("--since 2024-01-01T14:00:02", [2, 3], 3),
        ("--until 2024-01-01T14:00:01", [1], 1),
    ],
)
@pytest.mark.usefixtures("history")
def test_events_are_chosen(words: str, seqs: list[int], cursor: int, taskmux: Taskmux) -> None:
    document = taskmux("events", *words.split(), "--json").document
    assert [one["seq"] for one in document["events"]] == seqs
    assert (document["count"], document["next"]) == (len(seqs), cursor)


@pytest.mark.usefixtures("history")
def test_events_read_as_lines(taskmux: Taskmux) -> None:
    lines = taskmux("events").out.splitlines()
    assert lines[-1].split() == ["2024-01-01", "14:00:03", "api", "task_exited", "code=1"]


def test_nothing_to_show_is_said_to_people_alone(history: Path, taskmux: Taskmux) -> None:
    assert history.exists()
    for line, said in (
        (["events", "--after", "99"], "no events to show\n"),
        (["logs", "api", "-g", "nowhere"], "no lines to show\n"),
        (["logs", "api", "-g", "nowhere", "--raw"], "no lines to show\n"),
    ):
        outcome = taskmux(*line)
        assert (outcome.status, outcome.out, outcome.err) == (0, "", said)
        assert taskmux(*line, "--json").err == ""
    assert taskmux("events").err == ""
    assert taskmux("logs", "api").err == ""


@pytest.mark.usefixtures("history")
def test_an_event_that_is_misspelt_is_an_error(taskmux: Taskmux) -> None:
    for follow in ([], ["-f"]):
        outcome = taskmux("events", "-e", "task_exited", "-e", "task_exitd", *follow, "--json")
        assert (outcome.status, outcome.document["error_code"]) == (2, "E801")
        assert outcome.document["hint"] == "did you mean 'task_exited'?"
    assert "one of: alias_added, " in taskmux("events", "-e", "zzz").err


def test_every_event_that_is_published_can_be_asked_for() -> None:
    sources = "".join(file.read_text() for file in (ROOT / "taskmux").rglob("*.py"))
    published = re.findall(r'(?:publish|News)\(\s*"([a-z_]+)"', sources)
    assert sorted(KINDS) == sorted(set(published))


@pytest.mark.usefixtures("folder")
def test_the_logs_of_another_project_of_that_name_are_not_shown(
    taskmux: Taskmux, tmp_path: Path
) -> None:
    other = tmp_path / "copy"
    other.mkdir()
    (other / "taskmux.toml").write_text('name = "shop-2"\n[tasks.api]\ncommand = "x"\n')
    for line in (["logs", "api"], ["events"]):
        outcome = taskmux("-C", str(other), *line, "--json")
        assert (outcome.status, outcome.document["error_code"]) == (1, "E305")
    (tmp_path / "taskmux.toml").unlink()
    assert taskmux("-C", str(other), "logs", "api").status == 0


def followed(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*SCRIPT, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def interrupted(child: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    return child.returncode, out, err


def lines_of(stream: IO[bytes] | None, count: int) -> list[bytes]:
    assert stream is not None
    return [stream.readline() for _ in range(count)]


def test_following_goes_on_until_it_is_interrupted(folder: Path) -> None:
    with followed("logs", "-f", "-n1", "--json") as child:
        [old] = lines_of(child.stdout, 1)
        assert json.loads(old)["ts"] == "2024-01-01T14:00:02.000Z"
        with (folder / "web.log").open("ab") as log:
            log.write(b"2024-01-01T14:00:04.000 later\n")
        [new] = lines_of(child.stdout, 1)
        expected = {"task": "web", "ts": "2024-01-01T14:00:04.000Z", "text": "later"}
        assert json.loads(new) == expected
        status, out, err = interrupted(child)
    assert (status, json.loads(out)["error_code"], err) == (130, "E901", b"")


def test_following_shows_only_what_matches(folder: Path) -> None:
    with followed("logs", "-f", "-g", "LATER", "-i", "web") as child:
        with (folder / "web.log").open("ab") as log:
            log.write(b"2024-01-01T14:00:04.000 no\n2024-01-01T14:00:05.000 later\n")
        assert lines_of(child.stdout, 1) == [b"2024-01-01T14:00:05.000 later\n"]
        assert interrupted(child)[0] == 130


def test_events_are_followed(history: Path) -> None:
    with followed("events", "-f", "--after", "2", "--json") as child:
        [old] = lines_of(child.stdout, 1)
        assert json.loads(old) == EVENTS[2]
        with history.open("a") as file:
            file.write(json.dumps(event(5)) + "\n")
        [new] = lines_of(child.stdout, 1)
        assert json.loads(new) == event(5)
        assert interrupted(child)[0] == 130


def test_a_reader_that_leaves_ends_the_following(folder: Path) -> None:
    with followed("logs", "-f", "web") as child:
        lines_of(child.stdout, 1)
        assert child.stdout is not None
        child.stdout.close()
        with (folder / "web.log").open("ab") as log:
            log.write(b"2024-01-01T14:00:04.000 later\n")
        assert child.wait(timeout=30) == 0
        assert child.stderr is not None
        assert child.stderr.read() == b""


def test_screens_full_of_nothing_are_one_empty_line(folder: Path, taskmux: Taskmux) -> None:
    blank = b"2024-01-01T14:00:03.000 \x1b[K\n"
    with (folder / "web.log").open("ab") as file:
        file.write(blank * 50 + b"2024-01-01T14:00:03.000 ready\n" + blank)
    shown = taskmux("logs", "web").out.splitlines()
    assert [line.partition(" ")[2] for line in shown] == ["between", "", "ready", ""]
    assert len(taskmux("logs", "web", "--json").document["lines"]) == 53
