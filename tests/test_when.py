from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.errors import BadRequest
from taskmux.when import parse_duration, parse_when, rfc3339

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1w", 604800),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("1m500ms", 60.5),
        ("0s", 0),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)
    assert parse_when(text, NOW) == NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "m", "5 m", " 5m", "5m ", "-5m", "+5m", "5x", "5M", ".5s", "1.s", "5m!", "1e3s",
     "5m\n", "1,5s", "٣s"],
)  # fmt: skip
def test_what_only_resembles_a_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2024-01-01T14:00", datetime(2024, 1, 1, 14, tzinfo=UTC)),
        ("2024-01-01", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2024-01-01 14:00:01.5", datetime(2024, 1, 1, 14, 0, 1, 500_000, tzinfo=UTC)),
        ("2024-01-01T14:00Z", datetime(2024, 1, 1, 14, tzinfo=UTC)),
        ("2024-01-01T14:00+02:00", datetime(2024, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_date_is_utc_unless_it_says_otherwise(text: str, when: datetime) -> None:
    assert parse_when(text, NOW) == when
    assert parse_when(text, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "5", "2024-13-01", "14:00", "9999999999999d", "9" * 400 + "s",
     "0001-01-01T00:00+05:00", "9999-12-31T23:00-05:00"],
)  # fmt: skip
def test_what_is_no_time_is_said_to_be_none(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_when(text, NOW)
    assert "is not a time" in str(caught.value)
    assert caught.value.hint == "write 90s, 5m, 1h, 2d, or 2024-01-01T14:00"


@given(st.text() | st.text(alphabet="0123456789.msdhw-:TZ+ "))
def test_any_text_is_a_time_or_a_bad_request(text: str) -> None:
    with suppress(BadRequest):
        assert parse_when(text, NOW).tzinfo is UTC


def test_text_of_a_million_characters_is_refused_at_once() -> None:
    assert parse_duration("1" * 1_000_000) is None
    assert parse_duration("1h" * 500_000 + "1") is None


def test_an_instant_is_shown_in_utc_with_milliseconds() -> None:
    instant = datetime(2024, 1, 1, 14, 0, 0, 123_456, timezone(timedelta(hours=2)))
    assert rfc3339(instant) == "2024-01-01T12:00:00.123Z"
