from __future__ import annotations

import pytest

from taskmux.daemon.activation import environment, handed

GOOD = {"LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "https:https:http"}


def test_what_was_handed_has_a_name_and_a_number() -> None:
    assert handed(GOOD, 7) == [("https", 3), ("https", 4), ("http", 5)]
    assert handed(environment(["https", "http"], 7), 7) == [("https", 3), ("http", 4)]
    assert environment([], 7) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"LISTEN_PID": "8"},
        {"LISTEN_PID": ""},
        {"LISTEN_PID": "07"},
        {"LISTEN_FDS": ""},
        {"LISTEN_FDS": "-1"},
        {"LISTEN_FDS": "x"},
        {"LISTEN_FDS": "\u0663"},
        {"LISTEN_FDS": "1000000000"},
        {"LISTEN_FDS": "0"},
    ],
)
def test_what_is_for_somebody_else_or_makes_no_sense_is_left(change: dict[str, str]) -> None:
    assert handed(GOOD | change, 7) == []


def test_names_that_are_missing_are_empty() -> None:
    assert handed(GOOD | {"LISTEN_FDNAMES": "https"}, 7) == [("https", 3), ("", 4), ("", 5)]
    assert handed({"LISTEN_PID": "7", "LISTEN_FDS": "1"}, 7) == [("", 3)]
