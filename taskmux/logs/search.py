"""Finds the lines of a log that match a pattern, and those around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .history import SMALL, History
from .record import MARGIN

if TYPE_CHECKING:
    from taskmux.pattern import Pattern

Span = tuple[int, int]
"""Where lines begin and end, the last newline included."""

KEPT = 10_000
"""Matches that are remembered; of more than that only where they begin."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last lines that match."""

    begin: int
    count: int
    known: Sequence[Span] | None
    """Where they are. None: they are too many to be kept, and to be looked for from `begin` on."""


def matches(history: History, pattern: Pattern, within: Span) -> Iterator[Span]:
    """Yield where the lines are that match, the oldest first; looks no further than is read."""
    for begin, block in history.blocks(*within):
        for start, end in pattern.lines_in(block, MARGIN):
            yield begin + start, begin + end + 1


def last_matches(history: History, pattern: Pattern, within: Span, last: int) -> Last:
    """Return the last so many lines that match."""
    begin, count, pieces = within[1], 0, []
    for base, block in history.blocks_back(*within) if last else ():
        spans = [(base + start, base + end + 1) for start, end in pattern.lines_in(block, MARGIN)]
        if spans := spans[count - last :]:
            begin, count = spans[0][0], count + len(spans)
            pieces.append(spans if count <= KEPT else [])
        if count == last:
            break
    known = [span for spans in reversed(pieces) for span in spans] if count <= KEPT else None
    return Last(begin, count, known)


def around(history: History, found: Iterable[Span], context: int, within: Span) -> Iterator[Span]:
    """Yield `found` with `context` lines on both sides, none twice and none outside `within`."""
    seen = within[0]
    for start, end in found:
        if context:
            start = history.back(start, context, within[0])
            end = history.forward(end, context, within[1])
        if end > seen:
            yield max(start, seen), end
            seen = end


def texts(history: History, spans: Iterable[Span]) -> Iterator[tuple[int, bytes]]:
    """Yield where each span begins and what it holds; neighbours are read together."""
    base, block = 0, b""
    for start, end in spans:
        if not base <= start <= end <= base + len(block):
            base, block = start, history.read(start, max(end, start + SMALL))
        yield start, block[start - base : end - base]
