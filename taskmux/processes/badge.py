"""The marker of a run in a form that outlives the environment: two limits without effect.

Limits are inherited by whatever a process makes and executes, and anybody may read them.
Those of resident memory and of file locks have meant nothing since Linux 2.4. Between
them they hold a random UUID; where the marker is none, or the system another, no badge
is worn and only the environment tells.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import RFC_4122, UUID

LOCKS = 10  # `resource` does not name it
KINDS = (resource.RLIMIT_RSS, LOCKS) if sys.platform == "linux" else ()
LINES = (b"Max resident set ", b"Max file locks ")
"""Where /proc/PID/limits shows them."""

WORN = 1 << 62
"""Set in both; also makes each a limit that no program can feel."""


@contextmanager
def worn(run_id: str) -> Iterator[None]:
    """Have what is made within the block wear the badge of `run_id`. Not to be awaited in.

    We wear it ourselves meanwhile, and so does whatever another thread makes just then:
    who looks for badges passes over this process and its own children.
    """
    before = [(kind, resource.getrlimit(kind)) for kind in KINDS]
    try:
        with suppress(ValueError, OSError):  # no UUID, or a hard limit that is lower
            for (kind, (_, hard)), word in zip(before, _words(UUID(run_id)), strict=False):
                resource.setrlimit(kind, (word, hard))
        yield
    finally:
        for kind, limits in before:
            resource.setrlimit(kind, limits)


def shed() -> None:
    """Take off what we wear ourselves, so as not to end with the task that started us."""
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
