"""Reads logs from their files: no daemon is asked, and only what is needed is read.

Each log is narrowed to one span of its bytes (a run, a time, what came after a
cursor), then to the lines wanted in it; last, the tasks' lines are merged by time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from taskmux.errors import BadRequest

from .cursor import Mark, cursor, mark_at, parse_cursor, position_of
from .history import History, Pread, open_history
from .record import MARGIN, instant_ms, split, stamp_of
from .runs import span_of_run
from .search import Span, around, matches, texts
from .window import Excerpt, Line, Window

if TYPE_CHECKING:
    from taskmux.pattern import Pattern


@dataclass(frozen=True, slots=True)
class _Log:
    task: str
    history: History
    span: Span


def read(sources: Mapping[str, Path], window: Window, *, pread: Pread = os.pread) -> Excerpt:
    """Return the lines of the logs in `sources`, a path by task, that `window` asks for.

    A log that does not exist has no lines. Raises `BadRequest` for a pattern
    or a cursor that is none, a run that no log has, or a log that can't be read.
    """
    pattern = _pattern(window)
    marks = parse_cursor(window.after or "")
    with ExitStack() as stack:
        opened = {task: stack.enter_context(_open(sources[task], pread)) for task in sources}
        spans = {task: _span(opened[task], window, marks.get(task)) for task in sources}
        _check_run(opened, spans, window)
        logs = [_Log(task, opened[task], span) for task, span in spans.items() if span is not None]
        lines = _last(logs, window) if pattern is None else _grep(logs, window, pattern)
        ends = {log.task: mark_at(log.history, log.span[1]) for log in logs}
        # A log without lines of that run is where it was.
        ends = {task: ends.get(task, marks.get(task)) for task in sources}
        return Excerpt(lines, cursor({task: end for task, end in ends.items() if end is not None}))


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
    from taskmux.pattern import BadPattern, Pattern  # 25 ms that nothing else needs

    try:
        return Pattern(window.grep, ignore_case=window.ignore_case)
    except BadPattern as error:
        hint = "it is an RE2 regular expression: no look-around and no back-references"
        raise BadRequest(f"{window.grep!r} is not a pattern: {error}", hint=hint) from None


def _span(history: History, window: Window, seen: Mark | None) -> Span | None:
    """Return where the window lies in one log; None if the log has not that run."""
    run = (0, history.size) if window.run is None else span_of_run(history, window.run)
    if run is None:
        return None
    start, end = run
    if window.since is not None:
        start = max(start, history.at(stamp_of(instant_ms(window.since))))
    if seen is not None:
        start = max(start, position_of(history, seen))
    if window.until is not None:
        end = min(end, history.at(stamp_of(instant_ms(window.until) + 1)))
    return start, max(start, end)


def _check_run(
    opened: Mapping[str, History], spans: Mapping[str, Span | None], window: Window
) -> None:
    written = [task for task, history in opened.items() if history.size]
    if written and all(spans[task] is None for task in written):
        raise BadRequest(
            f"no lines of run {window.run} in the log of {', '.join(written)}",
            hint="`--run 0` is the newest run, `--run -1` the one before",
        )


def _last(logs: list[_Log], window: Window) -> tuple[Line, ...]:
    lines = []
    for log in logs:
        start, end = log.span
        if window.lines is not None:
            start = log.history.back(end, window.lines, start)
        lines.append(list(_lines(log, [(start, end)])))
    merged = tuple(merge(*lines, key=attrgetter("stamp")))
    surplus = 0 if window.lines is None else max(0, len(merged) - window.lines)
    return merged[surplus:]


def _grep(logs: list[_Log], window: Window, pattern: Pattern) -> tuple[Line, ...]:
    found = [matches(log.history, pattern, log.span, window.lines) for log in logs]
    if window.lines is not None and len(logs) > 1:
        found = _newest(logs, found, window.lines)
    spans = [
        around(log.history, spans, window.context, log.span)
        for log, spans in zip(logs, found, strict=True)
    ]
    lines = [_lines(log, mine) for log, mine in zip(logs, spans, strict=True)]
    return tuple(merge(*lines, key=attrgetter("stamp")))


def _newest(logs: list[_Log], found: list[list[Span]], last: int) -> list[list[Span]]:
    """Return the `last` newest of what was found in all the logs, still log by log."""
    ranked = sorted(
        (log.history.read(start, start + MARGIN), index, (start, end))
        for index, log in enumerate(logs)
        for start, end in found[index]
    )
    kept = ranked[max(0, len(ranked) - last) :]
    return [[span for _, owner, span in kept if owner == index] for index in range(len(logs))]


def _lines(log: _Log, spans: list[Span]) -> Iterator[Line]:
    for begin, text in texts(log.history, spans):
        stamp = ""
        for raw in text.split(b"\n")[:-1]:
            own, content = split(raw)
            # A line that isn't ours belongs to the last one that is.
            stamp = own.decode() or stamp or log.history.stamp_before(begin).decode()
            yield Line(log.task, stamp, content)
