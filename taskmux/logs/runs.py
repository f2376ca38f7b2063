"""Where the runs of a task lie in its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .history import History, open_history
from .record import RUN_MARK, run_of, split

_STAMPED_MARK = b" " + RUN_MARK


def last_run(path: Path) -> int:
    """Return the number of the newest run the log tells of, 0 if of none."""
    with open_history(path) as history:
        return next((run for run, _ in _marks(history)), 0)


def span_of_run(history: History, run: int) -> tuple[int, int] | None:
    """Return where a run's lines begin and end; None if the log has nothing of it.

    `run` is its number, or counts from the newest: 0, -1, … . Of a run whose
    beginning was rotated away, what is left belongs to it.
    """
    end, newer = history.size, 0
    for number, start in _with_the_beginning(history):
        if number == run or newer == run:
            return start, end
        end, newer = start, newer - 1
    return None


def _with_the_beginning(history: History) -> Iterator[tuple[int, int]]:
    number, start = 0, history.size
    for number, start in _marks(history):
        yield number, start
    if start and number != 1:
        # What comes before the first mark is the end of the run before it; in
        # a log without any, of a run whose number only the daemon knows.
        yield max(number - 1, 0), 0


def _marks(history: History) -> Iterator[tuple[int, int]]:
    """Yield each run's number and where its lines begin, the newest first."""
    for begin, block in history.blocks_back(0, history.size):
        at = len(block)
        while (at := block.rfind(_STAMPED_MARK, 0, at)) >= 0:
            start = block.rfind(b"\n", 0, at) + 1
            run = run_of(split(block[start : block.find(b"\n", at)])[1])
            if run is not None:
                yield run, begin + start
            at = start
