from __future__ import annotations

from pathlib import Path

import pytest

from taskmux import logs
from taskmux.logs import LogWriter
from taskmux.runner.aside import LONGEST, Aside


@pytest.fixture
def log(home: Path) -> LogWriter:
    return LogWriter(home / "web.log", max_size=1_000_000, max_files=1)


def lines(log: LogWriter) -> list[bytes]:
    return [line.text for line in logs.read({"web": log.path}, logs.Window()).lines]


def test_no_line_is_half_the_tasks(log: LogWriter) -> None:
    aside = Aside(log)
    log.feed(b"the task's\nits se")
    aside.feed(b"the hook's\nits ")
    log.feed(b"cond\n")
    aside.feed(b"second\nand ")
    log.feed(b"third\n")
    aside.feed(b"last")
    aside.end()
    assert lines(log) == [
        b"the task's", b"its se", b"the hook's", b"cond", b"its second", b"third", b"and last",
    ]  # fmt: skip


def test_a_line_without_an_end_is_not_kept_back_for_ever(log: LogWriter) -> None:
    aside = Aside(log)
    for _ in range(30):
        aside.feed(b"z" * (LONGEST // 10))
    assert len(lines(log)) >= 2
    aside.end()
    assert b"".join(lines(log)).count(b"z") == 30 * (LONGEST // 10)


def test_nothing_said_is_nothing_written(log: LogWriter) -> None:
    aside = Aside(log)
    aside.feed(b"")
    aside.end()
    assert lines(log) == []
