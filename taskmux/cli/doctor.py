"""The command that looks whether everything taskmux needs is as it should be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain

from taskmux import paths, wire
from taskmux.errors import DaemonNotRunning, TaskmuxError
from taskmux.files import read_regular
from taskmux.wire import Finding

from .answers import Answer
from .session import Session

TRIED = 3
"""Names that the system is asked for."""


PATIENCE = 5.0
"""Seconds the daemon may take to say who it is."""

LONGER = 30.0
"""Seconds it may take to look at itself: a resolver that hangs has ten for each thing it does."""


def doctor(session: Session) -> Answer:
    """Look at everything taskmux depends on, and say what to do about what is amiss."""
    from .descent import step_down

    step_down(session, "doctor")
    found = list(_findings(session))
    return wire.DoctorReport(ok=all(one.ok for one in found), checks=found)


def _findings(session: Session) -> Iterator[Finding]:
    from . import checkup, homecheck, trustcheck

    yield from checkup.program()
    yield (ours := homecheck.folder(session))
    if ours.ok:
        yield checkup.config(session)
        yield homecheck.state(session)
        yield from trustcheck.certificates(session)
    yield from checkup.project(session)
    daemon = None
    rest: Iterable[Finding]
    try:
        about = (client := session.visit(PATIENCE)).hello()
    except DaemonNotRunning:
        rest = chain([_resting(session)], _ports(session, []))
    except (TaskmuxError, TimeoutError) as error:
        rest = [_silent("daemon", error, PATIENCE, _ending(session))]
    else:
        daemon, rest = client, _of_daemon(session, about)
    yield from checkup.plugins(session, daemon)
    yield from rest


def _of_daemon(session: Session, about: wire.DaemonReport) -> Iterator[Finding]:
    from . import checkup
    from .help import installed

    same = about.version == installed()
    fix = None if same else _ANEW
    yield Finding("daemon", ok=same, detail=f"pid {about.pid}, taskmux {about.version}", fix=fix)
    names: list[str] = []
    try:
        report = session.visit(LONGER).diagnose()
    except (TaskmuxError, TimeoutError) as error:
        yield _silent("daemon's own", error, LONGER, _ANEW)
    else:
        yield from report.checks
        names = report.names[:TRIED]
    yield from _ports(session, [(one.address, one.port) for one in about.listeners])
    if names:
        yield checkup.resolves(names, partial(checkup.advice, session))


def _resting(session: Session) -> Finding:
    from .superuser import check_start

    try:
        check_start(os.geteuid(), session.environ)
    except TaskmuxError as error:
        return Finding("daemon", ok=False, detail=str(error), fix=error.hint)
    detail = "not running; the first command that needs it starts it"
    return Finding("daemon", ok=True, detail=detail)


def _silent(name: str, error: TaskmuxError | TimeoutError, patience: float, remedy: str) -> Finding:
    """Return what is said of a daemon that answers nothing in time, or nothing understood."""
    if isinstance(error, TaskmuxError):
        return Finding(name, ok=False, detail=str(error), fix=error.hint or _ANEW)
    return Finding(name, ok=False, detail=f"no answer within {patience:g} s", fix=remedy)


def _ending(session: Session) -> str:
    """Say how a daemon is ended that hears nothing."""
    with suppress(OSError, ValueError):
        pid = int(read_regular(paths.pid(session.home)) or b"")
        return f"run `kill -KILL {pid}`, then `taskmux daemon start`: it starts what ran anew"
    return _ANEW


_ANEW = "run `taskmux daemon restart`: the tasks run on"


def _ports(session: Session, held: Sequence[tuple[str, int]]) -> Iterator[Finding]:
    from taskmux.settings import Settings, load

    from .proxyports import proxy_ports

    try:
        settings = load(paths.host_config(session.home))
    except TaskmuxError:  # told already
        settings = Settings()
    yield from proxy_ports(settings, held, session.environ)
