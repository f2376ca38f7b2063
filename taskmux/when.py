"""Points in time as people write them: `5m` ago, or `2024-01-01T14:00`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .errors import BadRequest

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


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
    except (ValueError, OverflowError):
        hint = "write 90s, 5m, 1h, 2d, or 2024-01-01T14:00"
        raise BadRequest(f"{text!r} is not a time", hint=hint) from None
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def parse_duration(text: str) -> float | None:
    """Return the seconds that `text` (`1h30m`, `250ms`, `1.5s`) stands for, None if it doesn't."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", text)
    if not parts or "".join(map("".join, parts)) != text:
        return None
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def rfc3339(instant: datetime) -> str:
    """Return an aware instant as JSON shows it: UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
