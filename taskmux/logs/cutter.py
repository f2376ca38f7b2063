"""Cuts a task's output into lines, however the reads happened to cut it."""

from __future__ import annotations

LINE_LIMIT = 64 * 1024
"""Bytes in a line; a longer one becomes several, each but the last ending with `CONTINUES`."""

CONTINUES = b" [taskmux] line continues"


class Cutter:
    """Turns chunks into whole lines; only what follows the last newline is kept back.

    A line ends at a newline and nowhere else, and one carriage return before it
    belongs to the ending. What comes out does not depend on how the output was
    chunked, and no more than a line's limit is ever kept.
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._pending = bytearray()
        self._begun = False
        """A part of the pending line is out already."""

    @property
    def pending(self) -> bool:
        """Whether a line has begun that no newline has ended."""
        return bool(self._pending)

    def take(self, data: bytes) -> bytes:
        """Return the lines that `data`, at most a limit long, completes, each with its newline."""
        newline = data.find(b"\n")
        if newline < 0:
            self._pending += data
            return self._overlong()
        end = data.rfind(b"\n") + 1
        first = b""
        if self._begun or len(self._pending) + newline > self._limit:
            self._pending += data[:newline]
            first = self._overlong() + self._finish()
            data, end = data[newline + 1 :], end - newline - 1
        lines = self._pending + data[:end] if self._pending else data[:end]
        self._pending = bytearray(data[end:])
        # Looking for one byte is fifty times quicker than looking for two.
        return first + (lines.replace(b"\r\n", b"\n") if b"\r" in lines else lines)

    def carry(self) -> tuple[bytes, bool]:
        """Return the pending line, and whether a part of it is out already."""
        return bytes(self._pending), self._begun

    def take_over(self, pending: bytes, *, begun: bool) -> None:
        """Go on where the cutter was that carried this."""
        self._pending, self._begun = bytearray(pending), begun

    def flush(self) -> bytes:
        """Return the pending line as a line of its own.

        A newline that follows then ends it, without making an empty line.
        """
        line = bytes(self._pending).removesuffix(b"\r")
        if not line:
            return b""
        self._pending.clear()
        self._begun = True
        return line + b"\n"

    def reset(self) -> bytes:
        """Return what `flush` does; whatever follows begins a new line."""
        line = self.flush()
        self._pending.clear()
        self._begun = False
        return line

    def _finish(self) -> bytes:
        line = bytes(self._pending).removesuffix(b"\r")
        continued, self._begun = self._begun, False
        self._pending.clear()
        return b"" if continued and not line else line + b"\n"

    def _overlong(self) -> bytes:
        pieces = b""
        # A final carriage return may yet turn out to be half of the line's ending.
        while len(self._pending) > self._limit + self._pending.endswith(b"\r"):
            cut = self._whole_character(self._limit)
            pieces += self._pending[:cut] + CONTINUES + b"\n"
            del self._pending[:cut]
            self._begun = True
        return pieces

    def _whole_character(self, cut: int) -> int:
        for earlier in range(cut, cut - 4, -1):
            if self._pending[earlier] & 0xC0 != 0x80:
                return earlier
        return cut
