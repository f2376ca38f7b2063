"""Finds lines in a block, without looking at each one by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import re2

from .plan import Plan

FEW = 32
"""Hits in one block after which it is quicker to look for them in another way."""

Span = tuple[int, int]


class BlockSearch:
    """A plan, compiled."""

    def __init__(
        self, plan: Plan, margin: int, options: Any, found_in: Callable[[bytes], bool]
    ) -> None:
        """Take `found_in` to decide about a line; raise `re2.error` if RE2 can't do it."""
        options.never_nl = options.never_capture = True
        self._plan = plan
        self._margin = margin
        self._found_in = found_in
        self._word = plan.word if options.case_sensitive else b""
        self._hit = re2.compile(plan.hit, options)
        self._line = None if plan.line is None else re2.compile(plan.line, options)

    def lines_in(self, block: bytes) -> Iterator[Span]:
        """Yield start and end of the lines that match; `block` ends with a newline."""
        if self._plan.ascii or _valid(block):
            return self._spans(block)
        # A byte that is not UTF-8 is no character to RE2; for `.` it should count as one.
        mended = block.decode(errors="replace").encode()
        return _same_lines(self._spans(mended), mended, block)

    def _spans(self, block: bytes) -> Iterator[Span]:
        at = hits = vain = 0
        while 0 <= (found := self._next(block, at, hits > FEW)) < len(block):
            if vain > FEW and self._line is not None and _valid(block):
                yield from (line.span() for line in self._line.finditer(block, at))
                return
            begin, end = block.rfind(b"\n", 0, found) + 1, block.index(b"\n", found)
            text = begin + self._margin
            hits += 1
            if (self._plan.sure and found >= text) or self._found_in(block[text:end]):
                yield begin, end
            else:
                vain += 1
            at = end + 1

    def _next(self, block: bytes, at: int, dense: bool) -> int:
        # RE2 passes over the bytes many times quicker; to call it takes three times as long.
        if dense and self._word:
            return block.find(self._word, at)
        hit = self._hit.search(block, at)
        return -1 if hit is None else hit.start()


def _valid(block: bytes) -> bool:
    try:
        # Most blocks are ASCII, and this is a twentieth of the time.
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _same_lines(spans: Iterator[Span], mended: bytes, block: bytes) -> Iterator[Span]:
    """Yield where in `block` the lines lie that `spans` are in `mended`."""
    seen = begin = 0
    for start, _ in spans:
        for _ in range(mended.count(b"\n", seen, start)):
            begin = block.index(b"\n", begin) + 1
        yield begin, block.index(b"\n", begin)
        seen = start
