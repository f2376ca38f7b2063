"""The event history a page at a time, for a reader who may be slow and must miss nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from .history import Wanted, decoded

PAGE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """Some events that follow each other."""

    events: tuple[dict[str, Any], ...]
    """Those wanted; there may be none although there is more to come."""

    lost: int
    """How many before `events` were trimmed away unread, since the page before."""

    last: bool
    """Whether that was all there is by now."""


class Pages:
    """Reads on from where it stopped, through every trimming of the file. Blocks while it reads.

    The file that was opened is read to its end, also when it has been replaced
    by a shorter one since; so only who is slower than two trimmings loses anything.
    """

    def __init__(self, path: Path, wanted: Wanted, size: int = PAGE) -> None:
        """Begin behind `wanted.after`; a page is made of about `size` bytes."""
        self._path, self._wanted, self._size = path, wanted, size
        self._file: BinaryIO | None = None
        self.seq = wanted.after
        """The number up to which all has been looked at."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def next(self) -> Page:
        """Return the next page."""
        lines, lost, first = self._lines(), 0, self._file is None
        if not lines and self._reopen():
            lines = self._lines()
            lost = 0 if first else self._trimmed(lines)
        newer = [event for event in decoded(lines) if event["seq"] > self.seq]
        self.seq = max((event["seq"] for event in newer), default=self.seq)
        events = tuple(event for event in newer if self._wanted.takes(event))
        return Page(events, lost, last=not lines)

    def _lines(self) -> list[bytes]:
        if self._file is None:
            return []
        try:
            lines = self._file.readlines(self._size)
            if lines and not lines[-1].endswith(b"\n"):
                self._file.seek(-len(lines.pop()), os.SEEK_CUR)  # it is still being written
        except OSError:
            return []
        return lines

    def _reopen(self) -> bool:
        """Open the file that is there now; return whether it is another than before."""
        with suppress(OSError):
            if self._file is not None and os.path.samestat(
                os.fstat(self._file.fileno()), self._path.lstat()
            ):
                return False
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            file = os.fdopen(os.open(self._path, flags), "rb")
            if self._file is not None:
                self._file.close()
            self._file = file
            return True
        return False

    def _trimmed(self, lines: list[bytes]) -> int:
        first = next(decoded(lines), None)
        return 0 if first is None else max(0, first["seq"] - self.seq - 1)
