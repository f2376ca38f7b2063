"""A log as one run of bytes: its whole lines, the oldest first, whatever files they lie in.

Positions count from the oldest line. Every position handed in or out is the
start of a line, or the end. Stamps never fall along the way, and no stamp is
found in two files: so a time can be looked up by halving, and a stamp with a
number says the same place after a rotation as before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .files import close, open_to_read
from .record import EPOCH, MARGIN, STAMP

Pread = Callable[[int, int, int], bytes]
"""`os.pread`: from a file, so many bytes, at an offset."""

SMALL, LARGE = 4 * 1024, 128 * 1024

_AFTER_NEWLINE = re.compile(rb"\n(" + STAMP.pattern + rb") ")


class History:
    """What one log held when it was opened."""

    def __init__(self, files: list[int], pread: Pread = os.pread) -> None:
        """Take `files` as the log's, the oldest first; they stay the caller's to close."""
        self._pread = pread
        self._parts: list[tuple[int, int, int]] = []
        self.size = 0
        self._newest: tuple[int, bytes] = 0, b""
        """Where the block begins that is looked at, and it: what is found there is read next."""

        for file in files:
            length = self._whole_lines(file)
            self._parts.append((self.size, file, length))
            self.size += length

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`; fewer if a file was cut meanwhile."""
        begin, block = self._newest
        if begin <= start and end <= begin + len(block):
            return block[start - begin : end - begin]
        pieces = []
        for base, file, length in self._parts:
            first, last = max(start, base), min(end, base + length)
            while first < last and (piece := self._pread(file, last - first, first - base)):
                pieces.append(piece)
                first += len(piece)
        return b"".join(pieces)

    def blocks(self, start: int, end: int, size: int = LARGE) -> Iterator[tuple[int, bytes]]:
        """Yield whole lines between the two, about `size` bytes at a time, the oldest first."""
        while start < end:
            # To look where a line ends and to read up to there spares a copy of the block.
            stop = end if end - start <= size else self.back(start + size + 1, 1, start)
            # A line may be longer than a block.
            block = self.read(start, stop if stop > start else self.forward(start, 1, end))
            if not block.endswith(b"\n"):  # the file was cut meanwhile
                block = block[: block.rfind(b"\n") + 1]
            if not block:
                return
            self._newest = start, block
            yield start, block
            start += len(block)

    def blocks_back(self, start: int, end: int, size: int = LARGE) -> Iterator[tuple[int, bytes]]:
        """Yield whole lines between the two, about `size` bytes at a time, the newest first."""
        while end > start:
            begin = self.back(end - size + 1, 1, start) if end - size > start else start
            yield begin, self.read(begin, end)
            end = begin

    def back(self, end: int, lines: int, start: int = 0) -> int:
        """Return where the last `lines` lines before `end` begin, `start` if there are fewer."""
        stop, size = end - 1, SMALL
        while lines and stop > start:
            begin = max(start, stop - size)
            block = self.read(begin, stop)
            count = block.count(b"\n")
            if count >= lines:
                at = len(block)
                for _ in range(lines):
                    at = block.rfind(b"\n", 0, at)
                return begin + at + 1
            lines, stop, size = lines - count, begin, min(size * 2, LARGE)
        return min(start, end) if lines else end

    def forward(self, start: int, lines: int, end: int) -> int:
        """Return where the first `lines` lines after `start` end, `end` if there are fewer."""
        begin, size = start, SMALL
        while lines and begin < end:
            block = self.read(begin, min(end, begin + size))
            count = block.count(b"\n")
            if count >= lines:
                at = -1
                for _ in range(lines):
                    at = block.find(b"\n", at + 1)
                return begin + at + 1
            lines, begin, size = lines - count, begin + size, min(size * 2, LARGE)
        return end if lines else start

    def count(self, start: int, end: int) -> int:
        """Return how many lines there are between the two."""
        starts = range(start, end, LARGE)
        return sum(self.read(at, min(end, at + LARGE)).count(b"\n") for at in starts)

    def at(self, stamp: bytes) -> int:
        """Return where the first line begins that is not older than `stamp`."""
        if stamp <= EPOCH:
            return 0
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            found = self._next_stamp(middle)
            if found is None or found[1] >= stamp:
                high = middle
            else:
                low = found[0] + 1
        found = self._next_stamp(low)
        return self.size if found is None else found[0]

    def stamp_before(self, end: int) -> bytes:
        """Return the newest stamp before `end`; `EPOCH` if there is none."""
        for _, block in self.blocks_back(0, end, SMALL):
            if stamps := _AFTER_NEWLINE.findall(b"\n" + block):
                newest: bytes = stamps[-1]
                return newest
        return EPOCH

    def _next_stamp(self, position: int) -> tuple[int, bytes] | None:
        """Return the first line that begins at `position` or later and bears a stamp."""
        size = SMALL
        while position < self.size:
            # The byte before tells whether a line begins at `position`.
            block = (
                self.read(position - 1, position + size) if position else b"\n" + self.read(0, size)
            )
            if found := _AFTER_NEWLINE.search(block):
                return position + found.start(), found[1]
            if len(block) <= size or position + size >= self.size:
                return None
            position, size = position + size - MARGIN, min(size * 2, LARGE)
        return None

    def _whole_lines(self, file: int) -> int:
        """Return the length of `file` without an unfinished last line."""
        end = os.fstat(file).st_size
        while end:
            begin = max(0, end - SMALL)
            newline = self._pread(file, end - begin, begin).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            end = begin
        return 0


@contextmanager
def open_history(path: Path, pread: Pread = os.pread) -> Iterator[History]:
    """Open every file of the log at `path` as one; an empty history if there is none."""
    files = open_to_read(path)
    try:
        yield History(files[::-1], pread)
    finally:
        close(files)
