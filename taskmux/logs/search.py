"""Finds the lines of a log that match a pattern, and those around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .history import LARGE, History
from .record import MARGIN

if TYPE_CHECKING:
    from taskmux.pattern import Pattern

Span = tuple[int, int]
"""Where lines begin and end, the last newline included."""


def matches(history: History, pattern: Pattern, within: Span) -> Iterator[Span]:
    """Yield where the lines are that match, the oldest first; looks no further than is read."""
    for begin, block in history.blocks(*within):
        for start, end in pattern.lines_in(block, MARGIN):
            yield begin + start, begin + end + 1


def last_matches(history: History, pattern: Pattern, within: Span, last: int) -> tuple[int, int]:
    """Return where the last so many lines that match begin, and how many there are."""
    begin, count = within[1], 0
    if last == 0:
        return begin, count
    for base, block in history.blocks_back(*within):
        starts = [base + start for start, _ in pattern.lines_in(block, MARGIN)]
        if count + len(starts) >= last:
            return starts[count - last], last
        begin, count = starts[0] if starts else begin, count + len(starts)
    return begin, count


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
            base, block = start, history.read(start, max(end, start + LARGE))
        yield start, block[start - base : end - base]
