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

Found = tuple[int, bytes, Sequence[Span]]
"""Where a block begins, the block, and where in it the lines are that are wanted."""

KEPT = 10_000
"""Matches that are remembered; of more than that only where they begin."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last lines that match."""

    begin: int
    count: int
    known: Sequence[Span] | None
    """Where they are. None: they are too many to be kept, and to be looked for from `begin` on."""


def matches(history: History, pattern: Pattern, within: Span) -> Iterator[Found]:
    """Yield where the lines are that match, the oldest first; looks no further than is read."""
    for begin, block in history.blocks(*within):
        if spans := pattern.lines_in(block, MARGIN):
            yield begin, block, spans


def last_matches(history: History, pattern: Pattern, within: Span, last: int) -> Last:
    """Return the last so many lines that match."""
    begin, count, pieces = within[1], 0, []
    for base, block in history.blocks_back(*within) if last else ():
        found = pattern.lines_in(block, MARGIN)
        spans = [(base + start, base + end) for start, end in each(block, found)]
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


def placed(found: Iterable[Found]) -> Iterator[Span]:
    """Yield where in the log the lines found are."""
    for base, _, spans in found:
        for start, end in spans:
            yield base + start, base + end


def together(history: History, spans: Iterable[Span]) -> Iterator[Found]:
    """Yield what is at `spans` of the log; neighbours are read together."""
    base, block, inside = 0, b"", list[Span]()
    for start, end in spans:
        if not base <= start <= end <= base + len(block):
            if inside:
                yield base, block, inside
            base, block, inside = start, history.read(start, max(end, start + SMALL)), []
        inside.append((start - base, end - base))
    if inside:
        yield base, block, inside


def each(block: bytes, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the lines in `spans` of a block one by one."""
    for start, end in spans:
        while (behind := block.find(b"\n", start, end) + 1) > 0:
            yield start, behind
            start = behind
