"""A regular expression of a user's, compiled, for bytes of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import re2

from .block import BlockSearch
from .plan import planned

LARGEST = 5000
"""Instructions of RE2 in a pattern. In the worst case each is tried at every byte."""


class BadPattern(ValueError):
    """Not a regular expression, or one that needs look-around or back-references."""


class Pattern:
    """A compiled pattern, searched for in text that may be bytes of any kind."""

    def __init__(self, source: str, *, ignore_case: bool = False) -> None:
        """Compile `source`; raise `BadPattern` with the reason."""
        self._ignore_case = ignore_case
        self._searches: dict[int, BlockSearch | None] = {}
        try:
            self._source = source.encode()
            self._compiled = re2.compile(self._source, self._options())
        except UnicodeEncodeError:
            raise BadPattern("it is not UTF-8") from None
        except re2.error as error:
            raise BadPattern(_why(error)) from None
        if self._compiled.programsize > LARGEST:
            raise BadPattern("it is too large, which often means that it repeats too much")

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

    def lines_in(self, block: bytes, margin: int = 0) -> list[tuple[int, int]]:
        """Return where the lines of `block` are that match behind their first `margin` bytes.

        `block` ends with a newline, and so does each span; lines that follow each other may
        be one. Finds what `found_in` finds line by line, as quickly as the pattern allows.
        """
        if margin not in self._searches:
            self._searches[margin] = self._search(margin)
        search = self._searches[margin]
        if search is None:
            return list(self._line_by_line(block, margin))
        return search.lines_in(block)

    @property
    def _key(self) -> tuple[bytes, bool]:
        return self._source, self._ignore_case

    def _options(self) -> Any:
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not self._ignore_case
        return options

    def _search(self, margin: int) -> BlockSearch | None:
        plan = planned(self._source, margin)
        if plan is None:
            return None
        try:
            return BlockSearch(plan, margin, self._options(), self.found_in)
        except re2.error:
            return None

    def _line_by_line(self, block: bytes, margin: int) -> Iterator[tuple[int, int]]:
        start = 0
        for line in block.split(b"\n")[:-1]:
            end = start + len(line) + 1
            if self.found_in(line[margin:]):
                yield start, end
            start = end


def _why(error: Exception) -> str:
    message = error.args[0] if error.args else str(error)
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
