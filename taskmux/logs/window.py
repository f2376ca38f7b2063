"""What may be asked of logs, and a line of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """Which lines are wanted. Without anything said: all."""

    lines: int | None = None
    """The last so many; with `grep` the last so many that match, and what is around them."""

    since: datetime | None = None
    until: datetime | None = None
    """Both aware, and both included."""

    grep: str | None = None
    """A regular expression, searched for in the text of a line, not in its stamp."""

    ignore_case: bool = False
    context: int = 0
    """Lines before and after each match, of the same task."""

    run: int | None = None
    """The number of a run, or counted from the newest: 0, -1 for the one before, …"""

    after: str | None = None
    """A cursor: only what came after it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a task. `stamp` is as on disk: UTC, without a zone."""

    task: str
    stamp: str
    text: bytes

    @property
    def ts(self) -> str:
        """The stamp as JSON shows instants."""
        return f"{self.stamp}Z"
