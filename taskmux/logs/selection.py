"""What of one log is wanted: a span of its lines, or those in it that match with lines around them.

Nothing is kept of what is read: a log of any length can be gone through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from .excerpt import by_time, first_lines
from .history import History
from .passage import Passage
from .record import all_stamped, split
from .search import Found, Span, around, each, last_matches, matches, placed, together

if TYPE_CHECKING:
    from taskmux.pattern import Pattern


class Selection:
    """The lines of one task that are wanted. Iterate to read them."""

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

    def __iter__(self) -> Iterator[Passage]:
        if self.pattern is None or not self.context:
            return self.units()
        return self._passages(together(self.history, self._around(self.pattern)))

    def units(self) -> Iterator[Passage]:
        """Yield the lines that count: with a pattern those that match."""
        if self.pattern is not None:
            return self._passages(self._matches(self.pattern, self._first))
        blocks = self.history.blocks(self._first, self.span[1])
        return self._passages((base, block, [(0, len(block))]) for base, block in blocks)

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
        found = placed(self._matches(pattern, first))
        return around(self.history, found, self.context, self.span)

    def _matches(self, pattern: Pattern, first: int) -> Iterator[Found]:
        if self._known is None:
            return matches(self.history, pattern, (first, self.span[1]))
        return together(self.history, (span for span in self._known if span[0] >= first))

    def _passages(self, found: Iterable[Found]) -> Iterator[Passage]:
        stamp, at = b"", -1
        for base, block, spans in found:
            text = b"".join([block[start:end] for start, end in spans])
            if all_stamped(text):
                passage = Passage(self.task, text, base, spans)
                yield passage
            else:
                before = stamp if base + spans[0][0] == at else b""
                for passage in self._one_by_one(base, block, spans, before):
                    yield passage
            stamp, at = passage.newest, base + spans[-1][1]

    def _one_by_one(
        self, base: int, block: bytes, spans: Sequence[Span], stamp: bytes
    ) -> Iterator[Passage]:
        """Yield lines of which some have no stamp, each with that of the last before it."""
        at = spans[0][0]
        for start, end in each(block, spans):
            stamp = stamp if start == at else b""
            own, content = split(block[start : end - 1])
            stamp, at = own or stamp or self.history.stamp_before(base + start), end
            yield Passage(self.task, b"%s %s\n" % (stamp, content), base, [(start, end)])


def keep_last(selections: Sequence[Selection], count: int) -> None:
    """Want only the last `count` units of all logs together."""
    surplus = sum([selection.keep_last(count) for selection in selections]) - count
    owner = {selection.task: selection for selection in selections}
    for batch in by_time(selection.units() for selection in selections) if surplus > 0 else ():
        kept = sum(map(len, batch)) - surplus
        for passage in first_lines(batch, surplus) if kept > 0 else batch:
            owner[passage.task].skip_to(passage.end)
        surplus = -kept
        if surplus <= 0:
            break
