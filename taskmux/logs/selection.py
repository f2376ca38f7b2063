"""What of one log is wanted: a span of its lines, or those in it that match with lines around them.

Nothing is kept of what is read: a log of any length can be gone through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from .history import History
from .record import split
from .search import Span, around, last_matches, matches, texts
from .window import Line

if TYPE_CHECKING:
    from taskmux.pattern import Pattern

Placed = tuple[Line, int]
"""A line, and where it ends in its log."""


class Selection:
    """The lines of one task that are wanted. Iterate to read them, with where each ends."""

    def __init__(
        self,
        task: str,
        history: History,
        span: Span,
        floor: int,
        pattern: Pattern | None,
        context: int,
    ) -> None:
        """Want what is in `span`, also because it follows a match between `floor` and it."""
        self.task = task
        self.history = history
        self.span = span
        self.pattern = pattern
        self.context = context
        self._floor = floor
        self._begin: int | None = None
        self._known: Sequence[Span] | None = None

    @property
    def begin(self) -> int:
        """Where to read on if none of the lines has been read yet."""
        if self._begin is None:
            return self.span[0]
        return self.history.back(self._begin, self.context, self.span[0])

    def __iter__(self) -> Iterator[Placed]:
        if self.pattern is None:
            return self._placed(self.history.blocks(self._first, self.span[1]))
        return self._placed(texts(self.history, self._around(self.pattern)))

    def units(self) -> Iterator[Placed]:
        """Yield the lines that count: with a pattern those that match."""
        if self.pattern is None:
            return iter(self)
        return self._placed(texts(self.history, self._matches(self.pattern, self._first)))

    def keep_last(self, count: int) -> int:
        """Want only the last `count` units; return how many there are."""
        start, end = self.span
        if self.pattern is not None:
            last = last_matches(self.history, self.pattern, self.span, count)
            self._begin, self._known = last.begin, last.known
            return last.count
        self._begin = self.history.back(end, count, start)
        return self.history.count(self._begin, end)

    def skip_to(self, place: int) -> None:
        """Want nothing before `place`, the end of a unit."""
        self._begin = place

    @property
    def _first(self) -> int:
        return self.span[0] if self._begin is None else self._begin

    def _around(self, pattern: Pattern) -> Iterator[Span]:
        first = self._first
        if self._begin is None:
            # A page may end between a line and what follows it.
            first = self.history.back(first, self.context, self._floor)
        return around(self.history, self._matches(pattern, first), self.context, self.span)

    def _matches(self, pattern: Pattern, first: int) -> Iterator[Span]:
        if self._known is not None:
            return (span for span in self._known if span[0] >= first)
        return matches(self.history, pattern, (first, self.span[1]))

    def _placed(self, texts: Iterable[tuple[int, bytes]]) -> Iterator[Placed]:
        task, stamp, at = self.task, "", -1
        for begin, text in texts:
            stamp, at = stamp if begin == at else "", begin
            for raw in text.split(b"\n")[:-1]:
                own, content = split(raw)
                # A line that isn't ours belongs to the last one that is.
                stamp = own.decode() or stamp or self.history.stamp_before(begin).decode()
                at += len(raw) + 1
                yield Line(task, stamp, content), at


def keep_last(selections: Sequence[Selection], count: int) -> None:
    """Want only the last `count` units of all logs together."""
    surplus = sum([selection.keep_last(count) for selection in selections]) - count
    if surplus > 0:
        owner = {selection.task: selection for selection in selections}
        units = merge(*(selection.units() for selection in selections), key=stamp_of)
        for line, end in islice(units, surplus):
            owner[line.task].skip_to(end)


def stamp_of(placed: Placed) -> str:
    """Return what lines of several logs are put in order by."""
    return placed[0].stamp
