"""One record of a log, as it stands on disk: `2024-01-01T14:00:00.123 text` and a newline.

The stamp is UTC to the millisecond, so stamps sort as text. The text is what
the task wrote, byte for byte, except that it cannot pass for ours: lines that
taskmux writes begin with `[taskmux] `, and a task's own line that would begin
so is moved right by a space.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

OURS = b"[taskmux] "
"""What taskmux's own lines begin with, and nobody else's."""

MARGIN = 24
"""Bytes before the text: a stamp and a space."""

EPOCH = b"1970-01-01T00:00:00.000"
"""The stamp of lines before the first that has one."""

RUN_MARK = OURS + b"run "

STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}")
STAMPED = re.compile(STAMP.pattern + b" ")

_UNSTAMPED = re.compile(rb"\n(?!" + STAMPED.pattern + rb"|\Z)")
_RUN = re.compile(re.escape(RUN_MARK) + rb"(\d{1,18}) started ")
_MS = timedelta(milliseconds=1)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(seconds: float) -> bytes:
    """Return the stamp of an instant, in seconds since 1970."""
    return stamp_of(round(seconds * 1000))


def stamp_of(instant_ms: int) -> bytes:
    """Return the stamp of an instant, in milliseconds since 1970."""
    second, ms = divmod(instant_ms, 1000)
    return b"%s.%03d" % (_to_the_second(second), ms)


@lru_cache(maxsize=8)
def _to_the_second(second: int) -> bytes:
    return (_ZERO + timedelta(seconds=second)).isoformat()[:19].encode()


def instant_ms(when: datetime) -> int:
    """Return the milliseconds from 1970 to an aware `when`."""
    return (when - _ZERO) // _MS


def ms_of(stamp: bytes) -> int:
    """Return what `stamp_of` made `stamp` of; raise `ValueError` if it cannot have."""
    return instant_ms(datetime.fromisoformat(f"{stamp.decode()}+00:00"))


def ms_if_any(stamp: bytes) -> int:
    """Return what `ms_of` does; 0 for what is no stamp: somebody else's line, of February 31."""
    try:
        return ms_of(stamp)
    except ValueError:
        return 0


def rfc3339_of(stamp: bytes) -> str:
    """Return a stamp as JSON shows instants: with its zone."""
    return f"{stamp.decode()}Z"


def split(line: bytes) -> tuple[bytes, bytes]:
    """Return stamp and text of a line without its newline; no stamp if it isn't ours."""
    if STAMPED.match(line):
        return line[: MARGIN - 1], line[MARGIN:]
    return b"", line


def all_stamped(lines: bytes) -> bool:
    """Return whether each of `lines` is whole, and has a stamp."""
    return lines[-1:] == b"\n" and bool(STAMPED.match(lines)) and not _UNSTAMPED.search(lines)


def stamped(lines: bytes, prefix: bytes) -> bytes:
    """Return `lines`, each of which ends with a newline, with `prefix` before each."""
    return b"".join((prefix, lines[:-1].replace(b"\n", b"\n" + prefix), b"\n"))


def disowned(lines: bytes) -> bytes:
    """Return a task's `lines` with a space before each that claims to be taskmux's own."""
    # Looking for one byte is ten times quicker than looking for ten, and mostly enough.
    if OURS[:1] not in lines or OURS not in lines:
        return lines
    return (b"\n" + lines).replace(b"\n" + OURS, b"\n " + OURS)[1:]


def ours(text: str, limit: int) -> bytes:
    """Return `text` as lines of taskmux's own, none longer than `limit` bytes."""
    lines = text.encode(errors="replace").split(b"\n")
    return b"".join((OURS + line)[:limit] + b"\n" for line in lines)


def run_started(run: int, pid: int) -> str:
    """Return the note with which a run's lines begin."""
    return f"run {run} started (pid {pid})"


def run_of(text: bytes) -> int | None:
    """Return the number of the run that a line with this text begins; None if it begins none."""
    mark = _RUN.match(text)
    return int(mark[1]) if mark else None
