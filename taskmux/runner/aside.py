"""What a hook prints, in the log of a task that may be printing too."""

from __future__ import annotations

from taskmux.logs import LogWriter

LONGEST = 65536
"""Bytes of a line that are kept back; of a longer one, that much at a time is written."""


class Aside:
    """Puts whole lines between those of the task: none is half the one's, half the other's.

    Call `end` when the hook has ended: what it printed last may lack its newline.
    """

    def __init__(self, log: LogWriter) -> None:
        self._log = log
        self._begun = b""

    def feed(self, data: bytes) -> None:
        """Take output as it was read."""
        data = self._begun + data
        whole = data.rfind(b"\n") + 1 if len(data) < LONGEST else len(data)
        self._begun = data[whole:]
        self._write(data[:whole])

    def end(self) -> None:
        """Write what is left, as a line."""
        self._write(self._begun)
        self._begun = b""
        self._log.flush()

    def _write(self, lines: bytes) -> None:
        if lines:
            self._log.flush()  # the task's line, if it has begun one
            self._log.feed(lines)
