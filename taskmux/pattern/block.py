"""Finds lines in a block, without looking at each one by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import re2

from .plan import Plan

FEW = 8
"""Hits in one block after which it is quicker to look for a word, or for many lines at once."""

VAIN = 32
"""Hits that prove nothing after which it is quicker to look for whole lines."""

LONGEST = 64
"""Bytes in a word with which `re` is quick whatever the lines are like."""

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
        self._run = _run(self._word, margin) if plan.sure else None

    def lines_in(self, block: bytes) -> list[Span]:
        """Return where the lines are that match; `block` ends with a newline."""
        if self._plan.ascii or _valid(block):
            return self._spans(block)
        # A byte that is not UTF-8 is no character to RE2; for `.` it should count as one.
        mended = block.decode(errors="replace").encode()
        return list(_same_lines(self._spans(mended), mended, block))

    def _spans(self, block: bytes) -> list[Span]:
        spans: list[Span] = []
        at = hits = vain = 0
        while 0 <= (found := self._next(block, at, hits > FEW)) < len(block):
            if vain > VAIN and self._line is not None and _valid(block):
                return spans + [
                    (hit.start(), hit.end() + 1) for hit in self._line.finditer(block, at)
                ]
            begin, at = block.rfind(b"\n", 0, found) + 1, block.index(b"\n", found) + 1
            text = begin + self._margin
            hits += 1
            if (self._plan.sure and found >= text) or self._found_in(block[text : at - 1]):
                spans.append((begin, at))
            else:
                vain += 1
            if hits > FEW and not vain and self._run is not None:
                at = self._add_runs(self._run, block, at, spans)
        return spans

    def _add_runs(self, run: re.Pattern[bytes], block: bytes, at: int, spans: list[Span]) -> int:
        """Add lines that follow each other together; return where a hit in a margin ends that."""
        for hit in run.finditer(block, at):
            found, end = hit.span()
            begin = block.rfind(b"\n", at, found) + 1 or at
            if found - begin < self._margin:
                break
            spans.append((begin, end))
            at = end
        return at

    def _next(self, block: bytes, at: int, dense: bool) -> int:
        # RE2 passes over the bytes many times quicker; to call it takes three times as long.
        if dense and self._word:
            return block.find(self._word, at)
        hit = self._hit.search(block, at)
        return -1 if hit is None else hit.start()


def _run(word: bytes, margin: int) -> re.Pattern[bytes] | None:
    """Return what matches from a word on to the end of the last line in a row that has it."""
    if not 0 < len(word) <= LONGEST:
        return None
    escaped = re.escape(word)
    return re.compile(rb"%s.*\n(?:.{%d}.*%s.*\n)*+" % (escaped, margin, escaped))


def _valid(block: bytes) -> bool:
    try:
        # Most blocks are ASCII, and this is a twentieth of the time.
        return block.isascii() or bool(block.decode())
    except UnicodeDecodeError:
        return False


def _same_lines(spans: Iterable[Span], mended: bytes, block: bytes) -> Iterator[Span]:
    """Yield where in `block` the lines lie that `spans` are in `mended`."""
    seen = begin = 0
    for start, _ in spans:
        for _ in range(mended.count(b"\n", seen, start)):
            begin = block.index(b"\n", begin) + 1
        yield begin, block.index(b"\n", begin) + 1
        seen = start
