"""Lines that tasks printed, for a terminal, for a pipe, or for a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from operator import attrgetter, itemgetter

from taskmux import wire
from taskmux.logs import MARGIN, Batch, Passage, clean, coloured, in_order

from .answers import Output
from .plain import paint

COLOURS = ("cyan", "green", "yellow", "magenta", "blue")

_STAMP = MARGIN - 1
_BLANK = re.compile(r"\.\d{3} [^\S\n]*\n")
"""In every line of which only the stamp is to be seen, and perhaps elsewhere."""


def entries(batch: Batch, raw: bool) -> list[wire.LineReport]:
    """Return lines as a program wants them."""
    parts = [
        [
            wire.LineReport(task=passage.task, ts=f"{line[:_STAMP]}Z", text=line[MARGIN:])
            for line in _text(passage, raw).split("\n")[:-1]
        ]
        for passage in batch
    ]
    return list(in_order(parts, attrgetter("ts")))


def report(output: Output) -> wire.LogsReport | wire.MergedLogsReport:
    """Return lines that end as one document."""
    cursor = output.next or ""
    if output.single:
        text = "".join(_text(passage, output.raw) for batch in output.batches for passage in batch)
        return wire.LogsReport(task=output.tasks[0], lines=text.split("\n")[:-1], next=cursor)
    lines = [line for batch in output.batches for line in entries(batch, output.raw)]
    return wire.MergedLogsReport(tasks=list(output.tasks), lines=lines, next=cursor)


def raw(output: Output) -> Iterator[bytes]:
    """Yield what the tasks printed, byte for byte, a batch at a time."""
    for batch in output.batches:
        parts = [passage.text.split(b"\n")[:-1] for passage in batch]
        lines = in_order(parts, lambda line: line[:_STAMP])
        yield b"".join([line[MARGIN:] + b"\n" for line in lines])


def printed(output: Output, terminal: bool) -> Iterator[str]:
    """Yield the lines for a person, a batch at a time; colours only on a `terminal`."""
    names = _names(output.tasks, terminal)
    blank = dict.fromkeys(output.tasks, False)
    for batch in output.batches:
        parts = []
        for passage in batch:
            plain = _text(passage)
            shown = coloured(passage.text, MARGIN) if terminal else plain
            text, blank[passage.task] = _squeezed(plain, shown, blank[passage.task])
            parts.append(text)
        # For a pipe, the lines of one task are as they are.
        yield _told_apart(batch, parts, names, terminal) if terminal or names else "".join(parts)


def _text(passage: Passage, raw: bool = False) -> str:
    """Return the lines of a passage behind their stamps, harmless unless `raw`."""
    return passage.text.decode(errors="replace") if raw else clean(passage.text, MARGIN)


def _squeezed(plain: str, shown: str, before: bool) -> tuple[str, bool]:
    """Return lines as `cat -s` would: programs clear the screen with fifty empty ones.

    Says also whether the last was empty, as `before` says of the one before them.
    """
    if not _BLANK.search(plain):
        return shown, False
    blank = [before, *(not line[MARGIN:].strip() for line in plain.split("\n")[:-1])]
    lines = zip(shown.split("\n"), blank[1:], blank, strict=False)
    return "".join([line + "\n" for line, now, was in lines if not (now and was)]), blank[-1]


def _told_apart(
    batch: Batch, parts: Sequence[str], names: Mapping[str, str], terminal: bool
) -> str:
    rows = [
        [(line[:_STAMP], names.get(passage.task, ""), line[MARGIN:]) for line in text.split("\n")]
        for passage, text in zip(batch, parts, strict=True)
    ]
    ordered = in_order([part[:-1] for part in rows], itemgetter(0))
    if terminal:
        return "".join([f"{paint(stamp, 'dim')} {name}{text}\n" for stamp, name, text in ordered])
    return "".join([f"{stamp} {name}{text}\n" for stamp, name, text in ordered])


def _names(tasks: Sequence[str], terminal: bool) -> dict[str, str]:
    """Return what stands before the lines of each task; nothing if there is only one."""
    if len(tasks) < 2:
        return {}
    width = max(map(len, tasks))
    names = {task: f"{task.ljust(width)} | " for task in tasks}
    if not terminal:
        return names
    colours = cycle(COLOURS)
    return {task: paint(name, next(colours)) for task, name in names.items()}
