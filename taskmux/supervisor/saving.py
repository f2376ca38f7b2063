"""Whether what is to be remembered could be written down, told once when that changes."""

from __future__ import annotations

from collections.abc import Callable

from taskmux.bus import Bus
from taskmux.scarcity import described

AGAIN = 1.0
"""Seconds to the next try after one that failed: nothing tells when a disk has room again."""


class Saving:
    """The saves of one state file; those of a project name its `session` in their events."""

    def __init__(self, bus: Bus, session: str | None = None) -> None:
        self._bus = bus
        self.session = session
        self.trouble: str | None = None
        """Why the newest could not be written; None if it could."""

    def attempt(self, save: Callable[[], None]) -> bool:
        """Return whether `save` succeeded.

        A disk that is full, or refuses, is told in an event and costs nothing else. So
        is the first save that succeeds after that.
        """
        before, self.trouble = self.trouble, None
        try:
            save()
        except OSError as error:
            self.trouble = described(error)
        if self.trouble is not None and before is None:
            self._bus.publish("state_not_saved", self.session, reason=self.trouble)
        if self.trouble is None and before is not None:
            self._bus.publish("state_saved", self.session)
        return self.trouble is None
