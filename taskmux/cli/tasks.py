"""Commands about tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskmux import wire

from .answers import Answer, Detailed
from .session import Session

if TYPE_CHECKING:
    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")

PATIENCE = 60.0


def start(
    session: Session,
    tasks: options.Tasks = None,
    if_stopped: options.IfStopped = False,
    wait: options.Wait = True,
    timeout: options.Timeout = PATIENCE,
) -> Answer:
    """Start tasks and what they need, and wait until they are ready."""
    which, environ = session.which(tasks), session.shell()
    return session.connect().start(
        wire.StartTasks(**which, environ=environ, if_stopped=if_stopped, wait=wait, timeout=timeout)
    )


def stop(session: Session, tasks: options.Tasks = None) -> Answer:
    """Stop tasks: ask, then insist, and return when nothing of them is left."""
    return session.connect().stop(wire.StopTasks(**session.which(tasks)))


def restart(
    session: Session,
    tasks: options.Tasks = None,
    wait: options.Wait = True,
    timeout: options.Timeout = PATIENCE,
) -> Answer:
    """Stop tasks and start them afresh, with the environment of this shell."""
    which, environ = session.which(tasks), session.shell()
    return session.connect().restart(
        wire.RestartTasks(**which, environ=environ, wait=wait, timeout=timeout)
    )


def kill(session: Session, tasks: options.SomeTasks) -> Answer:
    """End tasks at once, without asking them first."""
    return session.connect().kill(wire.Kill(**session.which(tasks)))


def wait(
    session: Session,
    tasks: options.SomeTasks,
    until: options.Until = "ready",
    timeout: options.Timeout = PATIENCE,
) -> Answer:
    """Wait until tasks are ready, have ended, or have printed something."""
    which = session.which(tasks)
    return session.connect().wait(wire.Wait(**which, until=until, timeout=timeout))


def status(session: Session) -> Answer:
    """Show every task: how it is, and where to reach it."""
    return session.connect().status(wire.Status(**session.where()))


def health(session: Session, verbose: options.Verbose = False) -> Answer:
    """Show how well each task is."""
    report = session.connect().health(wire.Health(**session.where()))
    return Detailed(report) if verbose else report


def inspect(session: Session, task: options.Task) -> Answer:
    """Show everything about one task, and so why it is as it is."""
    return session.connect().inspect(wire.Inspect(**session.where(), task=task))
