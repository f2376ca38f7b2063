"""The command that looks whether everything taskmux needs is as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from taskmux import paths, wire
from taskmux.errors import TaskmuxError
from taskmux.wire import Finding

from .answers import Answer
from .session import Session

TRIED = 3
"""Names that the system is asked for."""


def doctor(session: Session) -> Answer:
    """Look at everything taskmux depends on, and say what to do about what is amiss."""
    found = list(_findings(session))
    return wire.DoctorReport(ok=all(one.ok for one in found), checks=found)


def _findings(session: Session) -> Iterator[Finding]:
    from . import checkup
    from .help import installed

    yield from checkup.program()
    yield checkup.folder(session)
    yield checkup.config(session)
    yield from checkup.project(session)
    yield from checkup.plugins(session)
    try:
        about = session.visit().hello()
    except TaskmuxError:
        yield Finding(
            "daemon", ok=True, detail="not running; the first command that needs it starts it"
        )
        yield from _ports(session, [])
        return
    same = about.version == installed()
    fix = None if same else "run `taskmux daemon restart`: the tasks run on"
    yield Finding("daemon", ok=same, detail=f"pid {about.pid}, taskmux {about.version}", fix=fix)
    try:
        report = session.visit().diagnose()
    except TaskmuxError as error:
        yield Finding("daemon's own", ok=False, detail=str(error), fix=error.hint or fix)
        return
    yield from report.checks
    yield from _ports(session, [one.port for one in about.listeners])
    if names := report.names[:TRIED]:
        yield checkup.resolves(names, partial(checkup.advice, session))


def _ports(session: Session, held: list[int]) -> Iterator[Finding]:
    from taskmux.settings import Settings, load

    from . import checkup

    try:
        settings = load(paths.host_config(session.home))
    except TaskmuxError:
        settings = Settings()
    if settings.proxy_enabled and settings.proxy_https_port:
        yield checkup.port(settings.proxy_https_port, held)
