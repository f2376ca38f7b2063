from __future__ import annotations

import random
from pathlib import Path

import pytest

from taskmux.errors import BadRequest
from taskmux.logs import LogWriter, Window, read
from taskmux.logs.cursor import Mark, cursor, parse_cursor


def test_a_cursor_is_a_stamp_and_a_count_by_task() -> None:
    marks = {
        "api": Mark(b"2024-01-01T14:00:00.123", 3),
        "build:watch": Mark(b"2024-01-02T00:00:00.000", 0),
    }
    text = "api=2024-01-01T14:00:00.123+3,build:watch=2024-01-02T00:00:00.000+0"
    assert cursor(marks) == text
    assert parse_cursor(f" {text}\n") == marks
    assert parse_cursor("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "api", "api=", "=2024-01-01T14:00:00.123+3", "api=2024-01-01T14:00:00.123",
        "api=2024-01-01T14:00:00.123+", "api=2024-01-01T14:00:00.123+-1", "api=12+3",
        "api=2024-02-31T14:00:00.123+3", "api=2024-01-01T14:00:00.123+3;web=x",
        "api=2024-01-01T14:00:00.123+" + "9" * 5000, "api=٢٠٢٤-01-01T14:00:00.123+3",
    ],
)  # fmt: skip
def test_a_bad_cursor_is_an_error(text: str) -> None:
    with pytest.raises(BadRequest, match="is not a place in a log"):
        read({}, Window(after=text))


@pytest.mark.parametrize("seed", range(12))
def test_going_on_from_a_cursor_loses_and_repeats_nothing(tmp_path: Path, seed: int) -> None:
    """Whatever the chunks, however often it rotates or is opened anew, and with a coarse clock."""
    choose, now = random.Random(seed), [1704110400.0]
    sources = {"api": tmp_path / "api.log", "web": tmp_path / "web.log"}

    def open_log(task: str) -> LogWriter:
        return LogWriter(sources[task], max_size=3000, max_files=50, clock=lambda: now[0])

    logs = {task: open_log(task) for task in sources}
    number, after, seen = 0, "", list[int]()
    for _ in range(150):
        task = choose.choice(["api", "web"])
        count = choose.choice([0, 1, 3, 80])
        logs[task].feed(b"".join(b"%d\n" % n for n in range(number, number + count)))
        number += count
        match choose.randrange(6):
            case 0 | 1:
                excerpt = read(sources, Window(after=after))
                seen += [int(line.text) for line in excerpt.lines]
                after = excerpt.next
            case 2:
                now[0] += choose.choice([0.001, 0.1, -0.05])
            case 3:
                logs[task].close()
                logs[task] = open_log(task)
            case _:
                pass
    seen += [int(line.text) for line in read(sources, Window(after=after)).lines]
    for log in logs.values():
        log.close()
    assert sorted(seen) == list(range(number))


def test_a_cursor_whose_lines_are_rotated_away_goes_on_with_what_is_left(tmp_path: Path) -> None:
    path, now = tmp_path / "api.log", [1704110400.0]
    log = LogWriter(path, max_size=300, max_files=1, clock=lambda: now[0])
    log.feed(b"old\n" * 5)
    after = read({"api": path}, Window()).next
    for number in range(50):
        log.feed(b"%d\n" % number)
    assert read({"api": path}, Window(after=after)).lines == read({"api": path}, Window()).lines
    log.clean()
    assert read({"api": path}, Window(after=after)).lines == ()
    log.feed(b"new\n")
    log.close()
    assert [line.text for line in read({"api": path}, Window(after=after)).lines] == [b"new"]


def test_what_a_window_leaves_out_before_its_end_has_been_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    log = LogWriter(path, max_size=3000, max_files=1)
    log.feed(b"one\ntwo\nthree\n")
    for window in (Window(lines=1), Window(lines=0), Window(grep="one"), Window(grep="none")):
        after = read({"api": path}, window).next
        assert read({"api": path}, Window(after=after)).lines == ()
        assert read({"api": path}, Window(after=after)).next == after
    log.close()


def test_a_task_the_cursor_does_not_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    sources = {"api": tmp_path / "api.log", "web": tmp_path / "web.log"}
    for path in sources.values():
        log = LogWriter(path, max_size=3000, max_files=1)
        log.feed(b"one\ntwo\n")
        log.close()
    after = read({"api": sources["api"]}, Window()).next
    found = read(sources, Window(after=after))
    assert [(line.task, line.text) for line in found.lines] == [("web", b"one"), ("web", b"two")]
    assert set(parse_cursor(found.next)) == {"api", "web"}
