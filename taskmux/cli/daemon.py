"""Commands about the daemon itself."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from taskmux import paths, wire
from taskmux.errors import BadRequest, DaemonNotRunning, TaskmuxError

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from . import options
    from .inheritance import Inherited
else:
    from .lazy import Lazy

    options = Lazy("options")


def daemon(
    session: Session, port: options.Port = None, allow_root: options.AllowRoot = False
) -> Answer:
    """Run the daemon here, in the foreground, until Ctrl-C."""
    from taskmux.daemon.app import main

    from .descent import descend
    from .inheritance import inherited

    descend(session, "daemon", *_port(port), allow_root=allow_root)
    words = [*_port(port), *inherited(session).words]
    return main(words, session.environ) or _nobody(session, "stopped")


def daemon_start(
    session: Session, port: options.Port = None, allow_root: options.AllowRoot = False
) -> Answer:
    """Start the daemon in the background, if there is none."""
    from .descent import descend
    from .inheritance import inherited

    descend(session, "daemon", "start", *_port(port), allow_root=allow_root)
    return _start(session, port, inherited(session))


def daemon_stop(session: Session) -> Answer:
    """Stop every task, then the daemon; return when it is gone."""
    from .descent import step_down

    step_down(session, "daemon", "stop")
    try:
        report = _end(session, resume=False)
    except DaemonNotRunning:
        return _nobody(session)
    if report is None:  # the next one ends what it left
        session.launch()
        report = _end(session, resume=False)
    return _nobody(session) if report is None else report


def daemon_restart(
    session: Session,
    port: options.Port = None,
    stop_tasks: options.StopTasks = False,
    allow_root: options.AllowRoot = False,
) -> Answer:
    """Start the daemon anew, from what is installed now; the tasks run on."""
    from .descent import descend
    from .inheritance import inherited

    how = ("--stop-tasks",) if stop_tasks else ()
    descend(session, "daemon", "restart", *_port(port), *how, allow_root=allow_root)
    found = inherited(session)
    with suppress(DaemonNotRunning):
        if not stop_tasks:
            return _renew(session, port, found)
        found = _relieve(session, found)
    return _start(session, port, found)


def daemon_status(session: Session) -> Answer:
    """Show whether the daemon runs, and what it has to do. Never starts it."""
    from .descent import step_down

    step_down(session, "daemon", "status")
    try:
        return session.visit().hello()
    except DaemonNotRunning:
        return _nobody(session)


def daemon_list(session: Session, port: options.Port = None) -> Answer:
    """Show every registered project; with --port, of the daemon that listens there."""
    from .descent import step_down

    step_down(session, "daemon", "list", *_port(port))
    try:
        if port is not None:
            _on(port, session.visit().hello())
        return session.visit().projects()
    except DaemonNotRunning:
        rows = [_resting(name, path) for name, path in session.registry().items()]
        return wire.ProjectsReport(projects=rows)


def daemon_register(
    session: Session, config: options.Config = None, force: options.Force = False
) -> Answer:
    """Add a project to the registry; every other command about it does so, too."""
    path = session.config() if config is None else session.cwd / config
    if not path.exists():
        raise BadRequest(f"--config {config}: no such file or folder", hint=None)
    path = path / paths.CONFIG_NAME if path.is_dir() else path
    return session.connect().register(wire.Register(config=str(path), force=force))


def daemon_unregister(session: Session, name: options.ProjectId) -> Answer:
    """Stop a project's tasks and forget it."""
    return session.connect().unregister(wire.Unregister(session=name))


def _start(session: Session, port: int | None, found: Inherited) -> wire.DaemonReport:
    started = session.launch(*_port(port), *found.words, keep=found.descriptors)
    report = session.connect().hello()
    if not (started or port in (None, 0, report.api_port)):
        session.notice(f"it runs already: `taskmux daemon restart --port {port}` moves it")
    if not started and found.descriptors:
        session.notice("it runs already: `sudo taskmux daemon restart` hands it the ports")
    return report


def _renew(session: Session, port: int | None, found: Inherited) -> wire.DaemonReport:
    if not found.words:
        return session.visit().renew(wire.Renew(port=port))
    from taskmux.daemon.handover import offering

    session.visit().hello()
    with offering(session.home, found.handed) as path:
        return session.visit().renew(wire.Renew(port=port, listeners=str(path)))


def _relieve(session: Session, found: Inherited) -> Inherited:
    """End the daemon; return what the next one has to inherit, this one's listeners with it."""
    from taskmux.daemon.handover import collecting

    if not session.visit().hello().listeners:
        _end(session, resume=True)
        return found
    with collecting(session.home) as (path, collected):
        _end(session, resume=True, listeners=str(path))
    return found.with_more(collected)


def _port(port: int | None) -> tuple[str, ...]:
    return () if port is None else ("--port", str(port))


def _on(port: int, report: wire.DaemonReport) -> None:
    if report.api_port != port:
        where = "without a WebSocket" if report.api_port is None else f"on port {report.api_port}"
        hint = "leave --port out: the daemon is found without it"
        raise BadRequest(f"no daemon listens on port {port}; yours runs {where}", hint=hint)


def _end(
    session: Session, *, resume: bool, listeners: str | None = None
) -> wire.DaemonReport | None:
    """End the daemon; return None if it died before its tasks had ended, as its door shows."""
    from taskmux.client.launch import outlasting

    client = session.visit()
    pid = client.hello().pid
    with outlasting(pid or 0), suppress(DaemonNotRunning):
        report = client.shutdown(wire.Shutdown(resume=resume, listeners=listeners))
        return replace(report, running=False, reason="stopped")
    return None if paths.door(session.home).exists() else _nobody(session, "stopped")


def _nobody(session: Session, reason: str = "") -> wire.DaemonReport:
    from .help import installed

    return wire.DaemonReport(
        running=False,
        pid=None,
        version=installed(),
        protocol=wire.PROTOCOL,
        started_at=None,
        home=str(session.home),
        api_port=None,
        projects=len(session.registry()),
        tasks=0,
        reason=reason,
    )


def _resting(name: str, path: str) -> wire.ProjectReport:
    from pathlib import Path

    from .sources import read_config

    try:
        config = read_config(Path(path))
    except TaskmuxError as error:
        state = "error" if Path(path).exists() else "config_missing"
        return wire.ProjectReport(name, path, state, str(error), tasks=0, running=0)
    return wire.ProjectReport(name, path, "ok", None, tasks=len(config.tasks), running=0)
