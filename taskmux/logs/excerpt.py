"""Passages of several tasks, in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from operator import attrgetter
from typing import TypeVar

from .passage import Passage
from .window import Line

Item = TypeVar("Item")
Stamp = TypeVar("Stamp", str, bytes)

Batch = Sequence[Passage]
"""Passages of different tasks, in the order of these; the next batch is not older than any."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines by time, and the cursor behind the last that was looked at."""

    batches: tuple[Batch, ...]
    next: str
    more: bool = False
    """Whether there are more behind `next` of those that were there to be read."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines one by one, for who can't do with more of them at once."""
        return tuple(chain.from_iterable(map(lines_of, self.batches)))


def in_order(parts: Sequence[Sequence[Item]], stamp: Callable[[Item], Stamp]) -> Sequence[Item]:
    """Return the items of all `parts` by `stamp`; of the same, those of the first part first."""
    return parts[0] if len(parts) == 1 else sorted(chain.from_iterable(parts), key=stamp)


def lines_of(batch: Batch) -> Sequence[Line]:
    """Return the lines of a batch, by time."""
    return in_order([list(passage) for passage in batch], attrgetter("stamp"))


def first_lines(batch: Batch, count: int) -> Batch:
    """Return what the first `count` lines of a batch are in."""
    counts = Counter(line.task for line in islice(lines_of(batch), count))
    return [passage.head(counts[passage.task]) for passage in batch if counts[passage.task]]


def by_time(logs: Iterable[Iterator[Passage]]) -> Iterator[Batch]:
    """Yield the passages of several logs, cut so that each batch is a span of time.

    Of lines with the same stamp those of the first log come first.
    """
    waiting = [(passage, log) for log in logs for passage in islice(log, 1)]
    while waiting:
        ends = [passage.newest for passage, _ in waiting]
        # Nothing that is still to be read comes before the end of this one.
        first = ends.index(min(ends))
        batch, rest = [], []
        for number, (passage, log) in enumerate(waiting):
            whole = (passage, next(log, None)) if number == first else None
            head, tail = whole or passage.split_at(ends[first], included=number < first)
            batch += [head] if head.text else []
            rest += [(tail, log)] if tail is not None else []
        yield batch
        waiting = rest
