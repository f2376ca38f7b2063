from __future__ import annotations

import pytest

from taskmux.cli.plain import plain, size, span


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe 日本 ✓", "größe 日本 ✓"),
        ("a\x1b[2J\r\n\t\x00\x7f", r"a\x1b[2J\r\n\t\x00\x7f"),
        ("\x9b31m\u202e\u2028\u200b", r"\x9b31m\u202e\u2028\u200b"),
        ("\udcff", r"\udcff"),
        ("[bold]", "[bold]"),
    ],
)
def test_what_could_drive_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0ms"), (0.12, "120ms"), (4.21, "4.2s"), (10, "10s"), (59, "59s"), (60, "1m"),
        (192, "3m 12s"), (3600, "1h"), (11523, "3h 12m"), (187200, "2d 4h"),
    ],
)  # fmt: skip
def test_durations_have_two_units(seconds: float, shown: str) -> None:
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (812, "812 B"), (1000, "1.0 kB"), (84_000_000, "84 MB"),
        (999_900, "1.0 MB"), (1_230_000_000, "1.2 GB"), (5e15, "5000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_short(count: int, shown: str) -> None:
    assert size(count) == shown
