"""Points in time as people write them: `5m` ago, or `2024-01-01T14:00`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .errors import BadRequest

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

_PART = r"([0-9]++(?:\.[0-9]++)?)(ms|s|m|h|d|w)"


def parse_when(text: str, now: datetime) -> datetime:
    """Return the instant `text` means, in UTC; raise `BadRequest` if it means none.

    Either a while ago (`90s`, `5m`, `1h30m`, `2d`), or a date, with a time or
    not; without an offset it is UTC, as the logs are.
    """
    ago = parse_duration(text)
    try:
        if ago is not None:
            return now - timedelta(seconds=ago)
        when = datetime.fromisoformat(text)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        hint = "write 90s, 5m, 1h, 2d, or 2024-01-01T14:00"
        raise BadRequest(f"{text!r} is not a time", hint=hint) from None


def parse_duration(text: str) -> float | None:
    """Return the seconds that `text` (`1h30m`, `250ms`, `1.5s`) stands for, None if it doesn't."""
    # The whole first: to find parts in what is none takes time that grows with its square.
    if not re.fullmatch(f"(?:{_PART})+", text):
        return None
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(_PART, text))


def rfc3339(instant: datetime) -> str:
    """Return an aware instant as JSON shows it: UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
