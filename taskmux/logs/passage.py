"""Lines of a task that were read together, and stay so until somebody wants them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .record import MARGIN
from .search import Span
from .window import Line


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines of one task as on disk, except that each has a stamp. Iterate for the lines."""

    task: str
    text: bytes
    """`2024-01-01T14:00:00.123 text` and a newline, for each."""

    base: int
    spans: Sequence[Span]
    """Where the lines are in the log, from `base` on; alone if what stands there has no stamp."""

    skipped: int = 0
    """Bytes of these that come before the text."""

    @classmethod
    def of(cls, line: Line) -> Passage:
        """Return a line as a passage of its own, without where in the log it is."""
        return cls(line.task, b"%s %s\n" % (line.stamp.encode(), line.text), 0, ())

    def __iter__(self) -> Iterator[Line]:
        for line in self.text.split(b"\n")[:-1]:
            yield Line(self.task, line[: MARGIN - 1].decode(), line[MARGIN:])

    def __len__(self) -> int:
        return self.text.count(b"\n")

    @property
    def newest(self) -> bytes:
        """The stamp of its last line."""
        begin = self.text.rfind(b"\n", 0, -1) + 1
        return self.text[begin : begin + MARGIN - 1]

    @property
    def end(self) -> int:
        """Where in the log its last line ends."""
        left = self.skipped + len(self.text)
        for start, end in self.spans:
            if left <= end - start:
                return self.base + start + left
            left -= end - start
        return self.base + self.spans[-1][1]

    def head(self, count: int) -> Passage:
        """Return its first `count` lines."""
        lines = self.text.split(b"\n", count)
        return replace(self, text=b"".join(line + b"\n" for line in lines[:count]))

    @property
    def adrift(self) -> Passage:
        """The same lines, without where in the log they are."""
        return replace(self, spans=())

    def split_at(self, stamp: bytes, *, included: bool) -> tuple[Passage, Passage]:
        """Return its lines up to `stamp`, and the others."""
        low, high = 0, len(self.text)
        while low < high:
            middle = (low + high) // 2
            begin = self.text.rfind(b"\n", 0, middle) + 1
            own = self.text[begin : begin + len(stamp)]
            if own < stamp or (included and own == stamp):
                low = self.text.index(b"\n", middle) + 1
            else:
                high = begin
        tail = replace(self, text=self.text[low:], skipped=self.skipped + low)
        return replace(self, text=self.text[:low]), tail
