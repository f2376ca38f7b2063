"""Writes what a task prints to its log: stamped, rotated, whatever the disk does.

Per read of the task's terminal there is one pass to stamp its lines and one
`write`. Two rules carry the readers: stamps never fall, and a new file begins
with a stamp of its own, so that no stamp is found in two files.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cutter import CONTINUES, LINE_LIMIT, Cutter
from .files import open_to_append, remove, rotate
from .history import open_history
from .record import EPOCH, MARGIN, disowned, ms_if_any, ours, stamp_of, stamped

Tap = Callable[[bytes, bytes], None]
"""Takes each line as it is written: its stamp, and its text without the newline."""

Listener = Callable[[bytes, bytes], None]
"""Takes lines as they are written, those of a moment together: their stamp, and them whole."""

_MAY_PASS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE}
_SHORTEST_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a writer knows that is not in its file: the line begun, and how many were lost why."""

    text: bytes = b""
    begun: bool = False
    lost: int = 0
    why: str = ""
    dropped: int = 0


class LogWriter:
    """Owns one task's log while the task may write. Sizes are in bytes.

    At most `max_size * (max_files + 1)` bytes are on disk. Lines longer than
    64 KiB (or than a whole file may be) are split. Once open, nothing raises
    for the disk's sake: lines that cannot be written are dropped, `on_drop`
    is called with the reason when that begins and `on_recover` with the
    reason and their number when it is over, and the log says so too.

    The log may be deleted or moved away at any time; what comes later goes to
    a new file in its place.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_size: int,
        max_files: int,
        clock: Callable[[], float] = time.time,
        on_drop: Callable[[str], None] | None = None,
        on_recover: Callable[[str, int], None] | None = None,
    ) -> None:
        """Open the log, private to its owner; raise `OSError` if that can never work."""
        self._place(path, max_size, max_files)
        self._clock = clock
        self._on_drop = on_drop
        self._on_recover = on_recover
        self._taps: list[Tap] = []
        self._listeners: list[Listener] = []
        self._file: int | None = None
        self._size = 0
        self._torn = False
        """The file ends within a line."""

        self._newest_ms = self._looked_ms = 0
        self._prefix = EPOCH + b" "
        self._lost = 0
        """Lines dropped of which the log doesn't say so yet."""

        self._why = ""
        self.dropped = 0
        """Lines dropped in all."""

        try:
            self._open()
        except OSError as error:
            if error.errno not in _MAY_PASS:
                raise

    def _place(self, path: Path, max_size: int, max_files: int) -> None:
        self.path = path
        self._max_size = max_size
        self._max_files = max_files
        longest = max_size - MARGIN - len(CONTINUES) - 1
        self._limit = min(max(longest, _SHORTEST_LIMIT), LINE_LIMIT)
        self._cutter = Cutter(self._limit)

    @property
    def trouble(self) -> str | None:
        """Why lines are being dropped; None while none are."""
        return self._why if self._lost else None

    @property
    def pending(self) -> bool:
        """Whether `flush` has something to write: a line not ended, or a word about lost ones."""
        return self._cutter.pending or self._lost > 0

    def feed(self, data: bytes) -> None:
        """Write the lines that `data`, the task's output as it was read, completes."""
        while data:
            self._add(disowned(self._cutter.take(data[: self._limit])))
            data = data[self._limit :]

    def flush(self) -> None:
        """Write a line that has begun as it is; call it after a quarter second of silence."""
        self._add(disowned(self._cutter.flush()))

    def mend(self) -> None:
        """Write how many lines were dropped, if that can be written again; else do nothing."""
        self._add(b"")

    def note(self, text: str) -> None:
        """Write a line of taskmux's own, or several, between the task's."""
        self._add(disowned(self._cutter.reset()) + ours(text, self._limit))

    def tap(self, take: Tap) -> Callable[[], None]:
        """Call `take` for every line from now on, dropped ones too; return what ends that."""
        self._taps.append(take)
        return lambda: self._taps.remove(take) if take in self._taps else None

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` as a tap is, but once for all lines of a moment: a line costs less."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def carry(self) -> Unfinished:
        """Return what a writer of the same log that takes over has to know."""
        text, begun = self._cutter.carry()
        return Unfinished(text, begun, self._lost, self._why, self.dropped)

    def take_over(self, unfinished: Unfinished) -> None:
        """Go on where the writer was that carried this."""
        self._cutter.take_over(unfinished.text, begun=unfinished.begun)
        self._lost, self._why = unfinished.lost, unfinished.why
        self.dropped = unfinished.dropped
        if self._lost and self._on_drop is not None:
            self._on_drop(self._why)

    def declare(self, path: Path, *, max_size: int, max_files: int) -> None:
        """Write on elsewhere, or by other limits; what was written stays where it is."""
        if self._still_there(path):  # its folder has another name
            self.path = path
        if (path, max_size, max_files) == (self.path, self._max_size, self._max_files):
            return
        self._add(disowned(self._cutter.reset()))
        self._place(path, max_size, max_files)
        with suppress(OSError):  # found out, and told, at the next line
            self._open()

    def clean(self) -> list[Path]:
        """Delete what was written so far and begin a new file; return what could not be deleted."""
        left = remove(self.path)
        with suppress(OSError):  # found out, and told, at the next line
            self._open()
        return left

    def close(self) -> None:
        """Write what is pending and give the file up."""
        self._add(disowned(self._cutter.reset()))
        self._give_up_file()

    def _add(self, lines: bytes) -> None:
        lost, why = self._lost, self._why
        mark = ours(f"{lost} lines dropped: {why}", self._limit) if lost else b""
        if not mark + lines:
            return
        rest = self._write(mark + lines)
        if lost and len(rest) <= len(lines):
            self._lost = 0
            if self._on_recover is not None:
                self._on_recover(why, lost)
        if rest:
            self._drop(rest if len(rest) <= len(lines) else lines)

    def _drop(self, lines: bytes) -> None:
        self._tell(lines)
        count = lines.count(b"\n")
        begins = not self._lost
        self._lost, self.dropped = self._lost + count, self.dropped + count
        if begins and self._on_drop is not None:
            self._on_drop(self._why)

    def _write(self, lines: bytes) -> bytes:
        """Write `lines`; return those there was no room for."""
        try:
            self._refresh()
            while lines:
                block = stamped(lines, self._prefix)
                fits = self._fitting(block)
                if not fits:
                    rotate(self.path, self._max_files, self._max_size * self._max_files)
                    self._open()
                    continue
                kept = self._put(block[:fits])
                done = len(lines)
                if kept < len(block):
                    done = kept - MARGIN * block.count(b"\n", 0, kept)
                self._tell(lines[:done])
                lines = lines[done:]
                if kept < fits:
                    break
        except OSError as error:
            self._why = error.strerror or str(error)
        return lines

    def _fitting(self, block: bytes) -> int:
        """Return how much of `block` goes into this file; 0 asks for a new one."""
        room = max(0, self._max_size - self._size)
        if len(block) <= room:
            return len(block)
        fits = block.rfind(b"\n", 0, room) + 1
        # A line that no file has room for is better than none at all.
        return fits if fits or self._size else block.find(b"\n") + 1

    def _put(self, block: bytes) -> int:
        """Write `block`, or as many of its lines as the disk takes; return their length."""
        assert self._file is not None
        done = 0
        try:
            if self._torn:
                self._size += os.write(self._file, b"\n")
                self._torn = False
            while done < len(block):
                done += os.write(self._file, block[done:])
        except OSError as error:
            self._why = error.strerror or str(error)
            done = self._retract(block, done)
        self._size += done
        return done

    def _retract(self, block: bytes, done: int) -> int:
        """Take back the line of which only a part was written; return what is left."""
        assert self._file is not None
        whole = block.rfind(b"\n", 0, done) + 1
        if whole < done:
            try:
                os.ftruncate(self._file, os.fstat(self._file).st_size - (done - whole))
            except OSError:
                self._torn = True
        return whole

    def _refresh(self) -> None:
        """Bring the stamp up to now, and find out whether the file is still the log."""
        now = round(self._clock() * 1000)
        if self._file is None or now != self._looked_ms:
            self._looked_ms = now
            self._stamp_with(max(now, self._newest_ms))
            if not self._still_there(self.path):
                self._open()

    def _stamp_with(self, instant_ms: int) -> None:
        self._newest_ms = instant_ms
        self._prefix = stamp_of(instant_ms) + b" "

    def _still_there(self, path: Path) -> bool:
        if self._file is None:
            return False
        mine = os.fstat(self._file)
        self._size = mine.st_size
        try:
            return os.path.samestat(mine, path.stat())
        except OSError:
            return False

    def _open(self) -> None:
        self._give_up_file()
        with open_history(self.path) as history:
            newest = ms_if_any(history.stamp_before(history.size))
        self._file = open_to_append(self.path)
        self._size = os.fstat(self._file).st_size
        self._torn = self._size > 0 and os.pread(self._file, 1, self._size - 1) != b"\n"
        self._stamp_with(max(newest, self._newest_ms) + (self._size == 0))

    def _give_up_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _tell(self, lines: bytes) -> None:
        stamp = self._prefix[:-1]
        for listener in tuple(self._listeners) if lines else ():
            listener(stamp, lines)
        if self._taps and lines:
            for line in lines[:-1].split(b"\n"):
                for take in tuple(self._taps):
                    take(stamp, line)
