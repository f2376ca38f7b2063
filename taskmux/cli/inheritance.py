"""What is handed down to a command that starts the daemon, for the daemon."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from taskmux.daemon import activation
from taskmux.daemon.handover import FAILURE, Failure, Handed, decode_failure
from taskmux.daemon.listeners import Listener, spoken, usable

from .session import Session


@dataclass(frozen=True, slots=True)
class Inherited:
    """What systemd, or the part of us that was root, handed to this process."""

    handed: Handed
    failure: str

    @property
    def words(self) -> list[str]:
        """What tells the daemon's program of it."""
        failed = ["--unprepared", self.failure] if self.failure else []
        return [*spoken(self.handed.listeners), *failed]

    @property
    def descriptors(self) -> list[int]:
        """What the daemon's process has to inherit."""
        return [listener.descriptor for listener in self.handed.listeners]

    def with_more(self, listeners: Sequence[Listener]) -> Inherited:
        """Return the same, and these listeners."""
        more = Handed([*self.handed.listeners, *listeners], self.handed.failures)
        return Inherited(more, self.failure)


def inherited(session: Session) -> Inherited:
    """Return what was handed to this process; what has no use here is told."""
    found: list[Listener] = []
    for use, descriptor in activation.handed(session.environ, os.getpid()):
        if usable(use, descriptor):
            os.set_inheritable(descriptor, False)
            found.append(Listener(use, descriptor))
        else:
            session.notice(f"descriptor {descriptor}, called {use!r}, is no listener of ours")
    said = session.environ.get(FAILURE, "")
    failures: list[Failure] = decode_failure(said)
    return Inherited(Handed(found, failures), said if failures else "")
