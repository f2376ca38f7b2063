from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taskmux.logs import rfc3339_of, run_of, run_started, split, stamp
from taskmux.logs.record import disowned, instant_ms, ms_of, ours, stamp_of


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, b"1970-01-01T00:00:00.000"),
        (1704117600.123, b"2024-01-01T14:00:00.123"),
        (1704117600.1239, b"2024-01-01T14:00:00.124"),
        (1704117599.9996, b"2024-01-01T14:00:00.000"),
        (4102444799.999, b"2099-12-31T23:59:59.999"),
    ],
)
def test_a_stamp_is_utc_to_the_millisecond(seconds: float, expected: bytes) -> None:
    assert stamp(seconds) == expected
    assert stamp_of(ms_of(expected)) == expected
    assert rfc3339_of(expected) == f"{expected.decode()}Z"


def test_an_instant_between_two_milliseconds_belongs_to_the_earlier() -> None:
    when = datetime(2024, 1, 1, 14, 0, 0, 123_999, UTC)
    assert stamp_of(instant_ms(when)) == b"2024-01-01T14:00:00.123"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"2024-01-01T14:00:00.123 text", (b"2024-01-01T14:00:00.123", b"text")),
        (b"2024-01-01T14:00:00.123 ", (b"2024-01-01T14:00:00.123", b"")),
        (b"2024-01-01T14:00:00.123  two ", (b"2024-01-01T14:00:00.123", b" two ")),
        (b"2024-01-01T14:00:00.123", (b"", b"2024-01-01T14:00:00.123")),
        (b"2024-01-01 14:00:00.123 x", (b"", b"2024-01-01 14:00:00.123 x")),
        (b"plain", (b"", b"plain")),
        (b"", (b"", b"")),
    ],
)
def test_a_line_is_a_stamp_and_a_text(line: bytes, expected: tuple[bytes, bytes]) -> None:
    assert split(line) == expected


@pytest.mark.parametrize(
    ("text", "run"),
    [
        (run_started(3, 123).encode(), None),
        (b"[taskmux] " + run_started(3, 123).encode(), 3),
        (b" [taskmux] run 3 started (pid 123)", None),
        (b"[taskmux] run 3 exited", None),
        (b"[taskmux] run x started (pid 1)", None),
    ],
)
def test_a_run_begins_with_a_mark_of_ours(text: bytes, run: int | None) -> None:
    assert run_of(text) == run


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"plain\n", b"plain\n"),
        (b"[taskmux] x\na\n[taskmux] y\n", b" [taskmux] x\na\n [taskmux] y\n"),
        (b"says [taskmux] x\n", b"says [taskmux] x\n"),
        (b"[taskmux]\n", b"[taskmux]\n"),
        (b"", b""),
    ],
)
def test_a_task_cannot_write_lines_of_ours(lines: bytes, expected: bytes) -> None:
    assert disowned(lines) == expected


def test_a_note_of_several_lines_is_ours_in_each_and_none_is_too_long() -> None:
    assert ours("a\nb\x0bc", 100) == b"[taskmux] a\n[taskmux] b\x0bc\n"
    assert ours("x" * 100, 20) == b"[taskmux] xxxxxxxxxx\n"
