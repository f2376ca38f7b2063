"""Regular expressions written by users: matched in linear time, so none can hang anything.

The engine is RE2: the syntax people know from grep -E and Python, without
look-around and back-references, which are what makes a pattern slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import re2

# What of a pattern means the same wherever the text lies; what doesn't; what holds a `|` together.
_HARMLESS = re.compile(rb"\\[^AzQC]|\[\^", re.DOTALL)
_POSITIONAL = re.compile(rb"\\|\^|\(\?[a-zA-Z]*-")
_GROUP = re.compile(rb"\[[^\]]*\]|\([^()\[\]]*\)")


class BadPattern(ValueError):
    """Not a regular expression, or one that needs look-around or back-references."""


class Pattern:
    """A compiled pattern, searched for in text that may be bytes of any kind."""

    def __init__(self, source: str, *, ignore_case: bool = False) -> None:
        """Compile `source`; raise `BadPattern` with the reason."""
        self._ignore_case = ignore_case
        try:
            self._source = source.encode()
            self._compiled = re2.compile(self._source, self._options())
        except UnicodeEncodeError:
            raise BadPattern("it is not UTF-8") from None
        except re2.error as error:
            raise BadPattern(_why(error)) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def found_in(self, text: bytes) -> bool:
        """Return whether the pattern matches anywhere in `text`."""
        if self._compiled.search(text) is not None:
            return True
        if text.isascii():
            return False
        # A byte that is not UTF-8 is no character to RE2; for `.` it should count as one.
        mended = text.decode(errors="replace").encode()
        return mended != text and self._compiled.search(mended) is not None

    def lines_in(self, block: bytes, margin: int = 0) -> Iterator[tuple[int, int]]:
        """Yield start and end of each line of `block` that matches behind its first `margin` bytes.

        `block` ends with a newline, which no line has as part of it. Finds what
        `found_in` finds line by line, as quickly as the pattern allows.
        """
        try:
            anywhere, line = self._multiline(margin)
        except (re2.error, _Positional):
            yield from self._line_by_line(block, margin)
            return
        mended = block if block.isascii() else block.decode(errors="replace").encode()
        # The first search runs over a block without a match many times quicker.
        if anywhere.search(mended):
            spans = (found.span() for found in line.finditer(mended))
            yield from spans if mended == block else _same_lines(spans, mended, block)

    @property
    def _key(self) -> tuple[bytes, bool]:
        return self._source, self._ignore_case

    def _options(self) -> Any:
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not self._ignore_case
        return options

    def _multiline(self, margin: int) -> tuple[Any, Any]:
        """Return patterns for a block: for what is wanted, and for a line with it past `margin`."""
        within, before = _within_line(self._source)
        options = self._options()
        options.never_nl = options.never_capture = True
        line = b"(?m:^.{%d}%s(?:%s).*$)" % (margin, before, within)
        return re2.compile(b"(?m:%s)" % within, options), re2.compile(line, options)

    def _line_by_line(self, block: bytes, margin: int) -> Iterator[tuple[int, int]]:
        start = 0
        for line in block.split(b"\n")[:-1]:
            if self.found_in(line[margin:]):
                yield start, start + len(line)
            start += len(line) + 1


class _Positional(Exception):
    """A pattern that means something else among other lines than in a text of its own."""


def _within_line(source: bytes) -> tuple[bytes, bytes]:
    """Return what to find in a line, and what may come between its margin and that."""
    within = source.removeprefix(b"^")
    if _POSITIONAL.search(_HARMLESS.sub(b"", within)):
        raise _Positional
    if within == source:
        return within, b".*?"
    # In `^a|b` the anchor is a's alone.
    flat, groups = _HARMLESS.sub(b"", within), 1
    while groups:
        flat, groups = _GROUP.subn(b"", flat)
    if b"|" in flat:
        raise _Positional
    return within, b""


def _same_lines(
    spans: Iterable[tuple[int, int]], mended: bytes, block: bytes
) -> Iterator[tuple[int, int]]:
    """Yield where in `block` the lines lie that `spans` are in `mended`."""
    seen = begin = 0
    for start, _ in spans:
        for _ in range(mended.count(b"\n", seen, start)):
            begin = block.index(b"\n", begin) + 1
        yield begin, block.index(b"\n", begin)
        seen = start


def _why(error: Exception) -> str:
    message = error.args[0] if error.args else str(error)
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
