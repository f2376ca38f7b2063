"""From root to the user whose daemon it is to be. Whoever is not root pays nothing for it."""

from __future__ import annotations

import os

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
    start(person, environ, [*_form(session), *words], session.notice)


def step_down(session: Session, *words: str) -> None:
    """Under `sudo`, run the command line `words` as who typed that, in a new program; else return.

    For commands that are about the daemon that `sudo` started, and take no root.
    """
    if os.geteuid() != 0:
        return
    from taskmux.daemon.privileged.person import invoker
    from taskmux.daemon.privileged.start import become, known

    if (person := invoker(session.environ, known)) is not None:
        become(person, session.environ, [*_form(session), *words])


def _form(session: Session) -> list[str]:
    return ["--json"] if session.programs else []
