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
else:
    from .lazy import Lazy

    options = Lazy("options")


def daemon(session: Session, port: options.Port = None) -> Answer:
    """Run the daemon here, in the foreground, until Ctrl-C."""
    from taskmux.daemon.app import main

    return main(_port(port), session.environ) or _nobody(session, "stopped")


def daemon_start(session: Session, port: options.Port = None) -> Answer:
    """Start the daemon in the background, if there is none."""
    started = session.launch(*_port(port))
    report = session.connect().hello()
    if not (started or port in (None, 0, report.api_port)):
        session.notice(f"it runs already: `taskmux daemon restart --port {port}` moves it")
    return report


def daemon_stop(session: Session) -> Answer:
    """Stop every task, then the daemon; return when it is gone."""
    try:
        report = _end(session, resume=False)
    except DaemonNotRunning:
        return _nobody(session)
    if report is None:  # the next one ends what it left
        session.launch()
        report = _end(session, resume=False)
    return _nobody(session) if report is None else report


def daemon_restart(
    session: Session, port: options.Port = None, stop_tasks: options.StopTasks = False
) -> Answer:
    """Start the daemon anew, from what is installed now; the tasks run on."""
    with suppress(DaemonNotRunning):
        if not stop_tasks:
            return session.visit().renew(wire.Renew(port=port))
        _end(session, resume=True)
    return daemon_start(session, port)


def daemon_status(session: Session) -> Answer:
    """Show whether the daemon runs, and what it has to do. Never starts it."""
    try:
        return session.visit().hello()
    except DaemonNotRunning:
        return _nobody(session)


def daemon_list(session: Session, port: options.Port = None) -> Answer:
    """Show every registered project; with --port, of the daemon that listens there."""
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


def _port(port: int | None) -> tuple[str, ...]:
    return () if port is None else ("--port", str(port))


def _on(port: int, report: wire.DaemonReport) -> None:
    if report.api_port != port:
        where = "without a WebSocket" if report.api_port is None else f"on port {report.api_port}"
        hint = "leave --port out: the daemon is found without it"
        raise BadRequest(f"no daemon listens on port {port}; yours runs {where}", hint=hint)


def _end(session: Session, *, resume: bool) -> wire.DaemonReport | None:
    """End the daemon; return None if it died before its tasks had ended, as its door shows."""
    from taskmux.client.launch import outlasting

    client = session.visit()
    pid = client.hello().pid
    with outlasting(pid or 0), suppress(DaemonNotRunning):
        report = client.shutdown(wire.Shutdown(resume=resume))
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
