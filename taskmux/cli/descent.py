"""From root to the user whose daemon it is to be, and what is handed down on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from taskmux.daemon import activation
from taskmux.daemon.handover import FAILURE, Failure, Handed, decode_failure
from taskmux.daemon.listeners import Listener, spoken, usable

from .session import Session
from .superuser import ALLOW, check_start


def descend(session: Session, *words: str, allow_root: bool) -> None:
    """As root, prepare what takes root and go on as the user in a new program; else return.

    `words` is the command line. Raises `NotAllowed` where no user asked for it, unless that
    is allowed: then root stays root.
    """
    if os.geteuid() != 0:
        return
    from taskmux.daemon.privileged.person import invoker
    from taskmux.daemon.privileged.start import known, start

    person = invoker(session.environ, known)
    environ = session.environ
    if person is None and not allow_root:
        check_start(0, environ)
        return
    if person is None:
        environ = {**environ, ALLOW: "1"}
    json = ("--json",) if session.programs else ()
    start(person, environ, [*json, *words], session.notice)


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
