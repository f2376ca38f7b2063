"""Lines that tasks printed, for a terminal, for a pipe, or for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from taskmux import wire
from taskmux.logs import Line, clean, coloured

from .answers import Output
from .plain import paint

COLOURS = ("cyan", "green", "yellow", "magenta", "blue")


def entry(line: Line, raw: bool) -> wire.LineReport:
    """Return a line as a program wants it."""
    return wire.LineReport(task=line.task, ts=line.ts, text=_text(line, raw))


def report(output: Output) -> wire.LogsReport | wire.MergedLogsReport:
    """Return lines that end as one document."""
    cursor = output.next or ""
    if output.single:
        lines = [f"{line.stamp} {_text(line, output.raw)}" for line in output.lines]
        return wire.LogsReport(task=output.tasks[0], lines=lines, next=cursor)
    lines_of_all = [entry(line, output.raw) for line in output.lines]
    return wire.MergedLogsReport(tasks=list(output.tasks), lines=lines_of_all, next=cursor)


def printed(output: Output, terminal: bool) -> Iterator[bytes]:
    """Yield the lines for a person; colours, theirs and ours, only on a `terminal`."""
    for line in output.lines if output.raw else _squeezed(output.lines):
        if output.raw:
            yield line.text + b"\n"
            continue
        name = _name(output, terminal, line)
        if terminal:
            shown = f"{paint(line.stamp, 'dim')} {name}{coloured(line.text)}"
        else:
            shown = f"{line.stamp} {name}{clean(line.text)}"
        yield f"{shown}\n".encode(errors="replace")


def _squeezed(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield what `cat -s` would: programs clear the screen with fifty empty lines."""
    blank: dict[str, bool] = {}
    for line in lines:
        before, blank[line.task] = blank.get(line.task, False), not clean(line.text).strip()
        if not (before and blank[line.task]):
            yield line


def _text(line: Line, raw: bool) -> str:
    return line.text.decode(errors="replace") if raw else clean(line.text)


def _name(output: Output, terminal: bool, line: Line) -> str:
    if len(output.tasks) < 2:
        return ""
    width = max(map(len, output.tasks))
    padded = f"{line.task.ljust(width)} | "
    if not terminal:
        return padded
    return paint(padded, COLOURS[output.tasks.index(line.task) % len(COLOURS)])
