"""Finds the lines of a log that match a pattern, and those around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .history import LARGE, History
from .record import MARGIN

if TYPE_CHECKING:
    from taskmux.pattern import Pattern

Span = tuple[int, int]
"""Where lines begin and end, the last newline included."""


def matches(history: History, pattern: Pattern, within: Span, last: int | None) -> list[Span]:
    """Return where the lines are that match, oldest first; only the `last` ones if that is said."""
    found: list[Span] = []
    if last == 0:
        return found
    for begin, block in history.blocks_back(*within):
        lines = list(pattern.lines_in(block, MARGIN))
        found += [(begin + start, begin + end + 1) for start, end in reversed(lines)]
        if last is not None and len(found) >= last:
            del found[last:]
            break
    return found[::-1]


def around(history: History, found: list[Span], context: int, within: Span) -> list[Span]:
    """Return `found` with `context` lines on both sides, none twice and none outside `within`."""
    spans: list[Span] = []
    for start, end in found:
        if context:
            start = history.back(start, context, within[0])
            end = history.forward(end, context, within[1])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def texts(history: History, spans: list[Span]) -> Iterator[tuple[int, bytes]]:
    """Yield where each span begins and what it holds; neighbours are read together."""
    base, block = 0, b""
    for start, end in spans:
        if not base <= start <= end <= base + len(block):
            base, block = start, history.read(start, max(end, start + LARGE))
        yield start, block[start - base : end - base]
