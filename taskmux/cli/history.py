"""Commands about what was: output and events. They read files and need no daemon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from taskmux import paths, wire
from taskmux.when import parse_when

from .answers import Answer, Happenings, Output
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from taskmux.logs import Batch, Window

    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")

SHOWN = 100
"""Lines, or events, where nothing else limits them."""


def logs(
    session: Session,
    tasks: options.Tasks = None,
    lines: options.Lines = None,
    follow: options.Follow = False,
    grep: options.Grep = None,
    ignore_case: options.IgnoreCase = False,
    context: options.Context = 0,
    since: options.Since = None,
    until: options.UpTo = None,
    run: options.Run = None,
    after: options.Cursor = None,
    raw: options.Raw = False,
) -> Answer:
    """Show what tasks printed, of several by time; earlier runs and rotated files included."""
    from taskmux.logs import Window, read

    from .sources import log_files

    bounded = any(limit is not None for limit in (since, until, run, after, grep))
    window = Window(
        lines=SHOWN if lines is None and not bounded else lines,
        since=_when(since),
        until=_when(until),
        grep=grep,
        ignore_case=ignore_case,
        context=context,
        run=run,
        after=after,
    )
    sources = log_files(session, tasks or ())
    if follow:
        return Output(list(sources), _following(sources, window), raw)
    excerpt = read(sources, window)
    return Output(list(sources), iter(excerpt.batches), raw, excerpt.next, len(tasks or ()) == 1)


def logs_clean(session: Session, tasks: options.Tasks = None) -> Answer:
    """Delete log files; a task that runs goes on into a new one."""
    return session.connect().clean_logs(wire.CleanLogs(**session.which(tasks)))


def events(
    session: Session,
    task: options.OfTask = None,
    since: options.Since = None,
    until: options.UpTo = None,
    kinds: options.Kinds = None,
    lines: options.Lines = None,
    after: options.Seq = None,
    follow: options.Follow = False,
) -> Answer:
    """Show what happened to tasks: starts, exits, restarts, failed probes, changes."""
    from taskmux.bus import history

    from .kinds import check_kinds
    from .sources import known_task, session_id

    check_kinds(kinds or ())
    wanted = history.Wanted(
        session=session_id(session),
        task=known_task(session, task),
        kinds=tuple(kinds or ()),
        since=_when(since),
        until=_when(until),
        after=after or 0,
        lines=SHOWN if lines is None and since is None and after is None else lines,
    )
    path = paths.events(session.home)
    if follow:
        return Happenings(history.follow(path, wanted))
    found = history.read(path, wanted)
    newest = found[-1]["seq"] if found else wanted.after
    return wire.EventsReport(events=found, count=len(found), next=newest)


def _following(sources: Mapping[str, Path], window: Window) -> Iterator[Batch]:
    from taskmux.logs import Passage, follow, read

    excerpt = read(sources, window)
    yield from excerpt.batches
    later = follow(sources, excerpt.next)
    if window.grep is not None:
        from taskmux.pattern import Pattern

        pattern = Pattern(window.grep, ignore_case=window.ignore_case)
        later = (line for line in later if pattern.found_in(line.text))
    for line in later:
        yield [Passage.of(line)]


def _when(text: str | None) -> datetime | None:
    return None if text is None else parse_when(text, datetime.now(UTC))
