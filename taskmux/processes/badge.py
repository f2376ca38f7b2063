"""The marker of a run in a form that outlives the environment: two limits without effect.

Limits are inherited by whatever a process makes and executes, and anybody may read them.
Those of resident memory and of file locks have meant nothing since Linux 2.4. Between
them they hold a random UUID; where the marker is none, or the system another, no badge
is worn and only the environment tells. It is pinned on from outside, right after a
process was made: had the maker to wear it for a moment, it could be taken for the task.
"""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from uuid import RFC_4122, UUID

LOCKS = 10  # `resource` does not name it
KINDS = (resource.RLIMIT_RSS, LOCKS)
LINES = (b"Max resident set ", b"Max file locks ")
"""Where /proc/PID/limits shows them."""

WORN = 1 << 62
"""Set in both; also makes each a limit that no program can feel."""


def pin(pid: int, run_id: str) -> None:
    """Have a process, and whatever it makes from now on, wear the badge of `run_id`."""
    if sys.platform == "linux":
        with suppress(ValueError, OSError):  # no UUID, a hard limit that is lower, or it ended
            for kind, word in zip(KINDS, _words(UUID(run_id)), strict=True):
                _, hard = resource.prlimit(pid, kind)
                resource.prlimit(pid, kind, (word, hard))


def shed() -> None:
    """Take off what we wear ourselves, so as not to end with the task that started us."""
    if sys.platform == "linux":
        for kind in KINDS:
            _, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (hard, hard))


def read(limits: bytes) -> str | None:
    """Return the marker in the text of a /proc/PID/limits; None if there is none."""
    words = [_number(limits, line) for line in LINES]
    if not all(word & WORN for word in words):
        return None
    high, low = (word ^ WORN for word in words)
    high = (high >> 12) << 16 | 4 << 12 | high & 0xFFF
    return str(UUID(int=high << 64 | 2 << 62 | low))


def _words(marker: UUID) -> tuple[int, int]:
    # Of its 128 bits a random UUID has 122 to itself: 60 of the higher half, 62 of the lower.
    if marker.version != 4 or marker.variant != RFC_4122:
        raise ValueError("not a random UUID")
    high, low = marker.int >> 64, marker.int & (1 << 62) - 1
    return WORN | (high >> 16) << 12 | high & 0xFFF, WORN | low


def _number(limits: bytes, line: bytes) -> int:
    soft = limits.partition(line)[2].split(maxsplit=1)[:1]
    return int(soft[0]) if soft and soft[0].isdigit() else 0
