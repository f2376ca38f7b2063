"""Reads logs from their files: no daemon is asked, and only what is needed is read.

Each log is narrowed to one span of its bytes (a run, a time, what came after a
cursor), then to the lines wanted in it; last, the tasks' lines are merged by time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from taskmux.errors import BadRequest

from .cursor import Mark, cursor, mark_at, parse_cursor, position_of
from .excerpt import Batch, Excerpt, by_time, first_lines, lines_of
from .history import History, Pread, open_history
from .record import instant_ms
from .record import stamp_of as stamp_at
from .runs import span_of_run
from .search import Span
from .selection import Selection, keep_last
from .window import Window

if TYPE_CHECKING:
    from taskmux.pattern import Pattern

OVERHEAD = 64
"""Bytes that a line takes up besides its text, about."""


def read(
    sources: Mapping[str, Path],
    window: Window,
    *,
    limit: int | None = None,
    pread: Pread = os.pread,
) -> Excerpt:
    """Return the lines of the logs in `sources`, a path by task, that `window` asks for.

    With `limit`, the oldest of them, of about so many bytes together, however
    many there are; the same window without `lines` goes on from `next`.

    A log that does not exist has no lines. Raises `BadRequest` for a pattern
    or a cursor that is none, a run that no log has, or a log that can't be read.
    """
    pattern = _pattern(window)
    marks = parse_cursor(window.after or "")
    with ExitStack() as stack:
        opened = {task: stack.enter_context(_open(sources[task], pread)) for task in sources}
        spans = {task: _span(opened[task], window, marks.get(task)) for task in sources}
        _check_run(opened, spans, window)
        places = ((task, opened[task], *span) for task, span in spans.items() if span is not None)
        logs = [Selection(*place, pattern, window.context) for place in places]
        if window.lines is not None:
            keep_last(logs, window.lines)
        batches, more = _page(by_time(iter(log) for log in logs), limit)
        read_to = {passage.task: passage for batch in batches for passage in batch} if more else {}
        behind = {log.task: log.begin if more else log.span[1] for log in logs}
        behind |= {task: passage.end for task, passage in read_to.items()}
        marked = {log.task: mark_at(log.history, behind[log.task]) for log in logs}
        # A log without lines of that run is where it was.
        marked = {task: marked.get(task, marks.get(task)) for task in sources}
        following = cursor({task: mark for task, mark in marked.items() if mark is not None})
        return Excerpt(batches, following, more)


def _page(batches: Iterable[Batch], limit: int | None) -> tuple[tuple[Batch, ...], bool]:
    """Return what there is up to `limit`, and whether there is more."""
    if limit is None:  # nobody asks where lines end, which takes more memory than they do
        return tuple([passage.adrift for passage in batch] for batch in batches), False
    taken: list[Batch] = []
    for batch in batches:
        for count, line in enumerate(lines_of(batch)):
            limit -= OVERHEAD + len(line.task) + len(line.text)
            if limit < 0 and (taken or count):  # one is always taken, however long it is
                return (*taken, first_lines(batch, count)), True
        taken.append(batch)
    return tuple(taken), False


@contextmanager
def _open(path: Path, pread: Pread) -> Iterator[History]:
    try:
        with open_history(path, pread) as history:
            yield history
    except OSError as error:
        complaint = f"{path} cannot be read: {error.strerror}"
        raise BadRequest(complaint, hint="check what it is and who may read it") from None


def _pattern(window: Window) -> Pattern | None:
    if min(window.lines or 0, window.context) < 0:
        raise BadRequest("a number of lines cannot be negative")
    if window.grep is None:
        return None
    from taskmux.pattern import requested  # 25 ms that nothing else needs

    return requested(window.grep, ignore_case=window.ignore_case)


def _span(history: History, window: Window, seen: Mark | None) -> tuple[Span, int] | None:
    """Return where the window lies in one log, and where it would begin without `seen`.

    None if the log has not that run.
    """
    run = (0, history.size) if window.run is None else span_of_run(history, window.run)
    if run is None:
        return None
    start, end = run
    if window.since is not None:
        start = max(start, history.at(stamp_at(instant_ms(window.since))))
    floor = start
    if seen is not None:
        start = max(start, position_of(history, seen))
    if window.until is not None:
        end = min(end, history.at(stamp_at(instant_ms(window.until) + 1)))
    return (start, max(start, end)), floor


def _check_run(opened: Mapping[str, History], spans: Mapping[str, object], window: Window) -> None:
    written = [task for task, history in opened.items() if history.size]
    if written and all(spans[task] is None for task in written):
        raise BadRequest(
            f"no lines of run {window.run} in the log of {', '.join(written)}",
            hint="`--run 0` is the newest run, `--run -1` the one before",
        )
