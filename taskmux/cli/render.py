"""How answers and errors reach the terminal: for people, or as JSON for programs.

Commands return answers and raise `TaskmuxError`; only here is it known that there
are two audiences. JSON is the report's own fields, without a wrapper, or

    {"ok": false, "error": "…", "error_code": "E200", "hint": "…", …facts}
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol, TextIO

import msgspec

from taskmux import wire
from taskmux.errors import TaskmuxError

from .answers import Answer, Detailed, Foreign, Happenings, Output
from .plain import paint, plain
from .reports import HelpReport, SchemaReport

if TYPE_CHECKING:
    from rich.text import Text

WIDE = 200
"""Columns where nobody has a terminal: a pipe takes any."""


class Renderer(Protocol):
    """Where a command's outcome goes."""

    def show(self, answer: Answer) -> None:
        """Show what a command returned, to its end."""

    def error(self, error: TaskmuxError) -> None:
        """Show why a command could not."""

    def notice(self, sentence: str) -> None:
        """Tell a person something that is not the answer."""


class ForPrograms:
    """One JSON document, whatever happened, on stdout; of a stream, one a line."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err

    def show(self, answer: Answer) -> None:
        """Write the report's fields."""
        match answer:
            case Output():
                self._output(answer)
            case Happenings():
                for event in answer.events:
                    self._write(event)
            case SchemaReport():
                self._write(answer.document)
            case Detailed():
                self._write(answer.report)
            case Foreign():
                self._write(answer.facts)
            case wire.Report():
                self._write(answer)

    def error(self, error: TaskmuxError) -> None:
        """Write the error's answer."""
        self._write(error.answer())

    def notice(self, sentence: str) -> None:
        """Write to stderr: it is not the answer."""
        self._err.write(f"{plain(sentence)}\n")
        self._err.flush()

    def _output(self, output: Output) -> None:
        from . import output as lines

        if output.next is not None:
            self._write(lines.report(output))
            return
        for batch in output.batches:
            for line in lines.entries(batch, output.raw):
                self._write(line)

    def _write(self, document: object) -> None:
        try:
            text = msgspec.json.encode(document).decode()
        except UnicodeEncodeError:  # a name of bytes that are not UTF-8
            import json

            text = json.dumps(msgspec.to_builtins(document))
        self._out.write(text + "\n")
        self._out.flush()


class ForPeople:
    """Tables and sentences on stdout, complaints on stderr."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self._out = out
        self._err = err
        self._environ = environ

    def show(self, answer: Answer) -> None:
        """Print what a person wants to see of it."""
        match answer:
            case Output():
                self._output(answer)
            case Happenings():
                from . import sentences

                self._print(sentences.event(event) for event in answer.events)
            case SchemaReport():
                text = msgspec.json.format(msgspec.json.encode(answer.document)).decode()
                self._print([text])
            case Foreign():
                self._print(map(plain, answer.text.splitlines()))
            case HelpReport():
                from .manual import manual

                self._print(manual(answer, min(self._width(), 100)))
            case wire.Report() | Detailed():
                self._picture(answer)

    def error(self, error: TaskmuxError) -> None:
        """Print the sentence with its number, then the hint."""
        self._err.write(f"Error [{error.code}]: {plain(str(error))}\n")
        log = error.facts.get("log")
        for line in log if isinstance(log, list) else []:
            self._err.write(f"  | {plain(str(line))}\n")
        if error.hint is not None:
            self._err.write(f"hint: {plain(error.hint)}\n")
        self._err.flush()

    def notice(self, sentence: str) -> None:
        """Write to stderr: it is not the answer."""
        self._err.write(f"{plain(sentence)}\n")
        self._err.flush()

    def _picture(self, answer: wire.Report | Detailed) -> None:
        if isinstance(answer, DRAWN):
            from .pictures import draw  # 40 ms, as rich needs; the rest does without

            self._draw(draw(answer, self._width()))
        elif isinstance(answer, wire.Report):
            from .sentences import say

            self._print(say(answer, paint if self._colour() else lambda text, _: text))
        if isinstance(answer, wire.EventsReport) and not answer.events:
            self.notice("no events to show")

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._out.write(f"{line}\n")
            self._out.flush()

    def _draw(self, lines: Iterable[Text]) -> None:
        from rich.console import Console

        console = Console(
            width=self._width(),
            force_terminal=self._colour(),
            color_system="standard" if self._colour() else None,
            legacy_windows=False,
            _environ={},
        )
        # Captured: on its own, rich ends the process when nobody reads on.
        with console.capture() as drawn:
            for line in lines:
                console.print(line, soft_wrap=True, highlight=False)
        self._out.write(drawn.get())

    def _output(self, output: Output) -> None:
        from . import output as lines

        text: str | bytes | None = None
        if output.raw:
            for text in lines.raw(output):
                self._raw(text)
        else:
            for text in lines.printed(output, self._colour()):
                self._out.write(text)
                self._out.flush()
        if text is None:
            self.notice("no lines to show")

    def _raw(self, text: bytes) -> None:
        if (buffer := getattr(self._out, "buffer", None)) is not None:
            buffer.write(text)
            buffer.flush()
        else:
            self._out.write(text.decode(errors="replace"))
            self._out.flush()

    def _colour(self) -> bool:
        dumb = self._environ.get("TERM") == "dumb"
        return self._out.isatty() and not self._environ.get("NO_COLOR") and not dumb

    def _width(self) -> int:
        columns = self._environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns) > 0:
            return int(columns)
        if not self._out.isatty():
            return WIDE
        try:
            return os.get_terminal_size(self._out.fileno()).columns or 80
        except OSError:
            return 80


DRAWN = (
    wire.AliasesReport, wire.StatusReport, wire.HealthReport, wire.InspectReport,
    wire.ProjectsReport, Detailed,
)  # fmt: skip
"""What needs a table, and a terminal's width."""
