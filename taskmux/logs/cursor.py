"""A place in some logs, as text: `api=2024-01-01T14:00:00.123+3,web=…`.

It says of each task: of the lines with this stamp three have been seen, and
all older ones. A task that isn't named has not been looked at yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from taskmux.errors import BadRequest

from .history import History
from .record import STAMP, ms_of, stamp_of

_MARK = re.compile(r"(.+)=(" + STAMP.pattern.decode() + r")\+(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in one log: behind the first `seen` lines that bear `stamp`."""

    stamp: bytes
    seen: int


def parse_cursor(text: str) -> dict[str, Mark]:
    """Return the marks of a cursor by task; raise `BadRequest` if it is none."""
    marks = {}
    for part in filter(None, text.strip().split(",")):
        found = _MARK.fullmatch(part)
        try:
            if found is None:
                raise ValueError
            mark = Mark(found[2].encode(), int(found[3]))
            ms_of(mark.stamp)
        except ValueError:
            hint = "use `next` of an earlier answer as it is"
            raise BadRequest(f"{part!r} is not a place in a log", hint=hint) from None
        marks[found[1]] = mark
    return marks


def cursor(marks: Mapping[str, Mark]) -> str:
    """Return the text that `parse_cursor` reads as `marks`."""
    return ",".join(f"{task}={mark.stamp.decode()}+{mark.seen}" for task, mark in marks.items())


def mark_at(history: History, position: int) -> Mark | None:
    """Return the mark of a position; None where nothing comes before."""
    if position == 0:
        return None
    stamp = history.stamp_before(position)
    return Mark(stamp, history.count(history.at(stamp), position))


def position_of(history: History, mark: Mark) -> int:
    """Return where the lines after `mark` begin."""
    same = history.at(mark.stamp)
    newer = history.at(stamp_of(ms_of(mark.stamp) + 1))
    return history.forward(same, mark.seen, newer)
