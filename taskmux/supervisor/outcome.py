"""What became of a wish, as a report: for one task, once it came to an end."""

from __future__ import annotations

from msgspec.structs import replace

from taskmux.errors import SpawnFailed, TaskFailed, TaskmuxError
from taskmux.lifecycle import CANNOT_RUN, RESTING, State, Stop, Task
from taskmux.runner import Runner
from taskmux.wire import ActionReport

from .gate import up


def of_start(
    name: str, runner: Runner, before: Task, named: list[str], waited: bool
) -> ActionReport:
    """Report on a task that was to be started; `before` is how it was."""
    if up(before):
        return done(name, runner, "already_running")
    if before.state is State.COMPLETED and name not in named:
        return done(name, runner, "already_completed")
    return _started(name, runner, "started", waited)


def of_restart(name: str, runner: Runner, waited: bool) -> ActionReport:
    """Report on a task that was stopped to be started again."""
    return _started(name, runner, "restarted", waited)


def of_stop(name: str, runner: Runner, was: Task, wish: Stop, seconds: float) -> ActionReport:
    """Report on a task that was to be stopped; `was` is how it was."""
    if runner.task.state not in RESTING:
        return failed(name, runner)
    if was.state in RESTING:
        report = replace(done(name, runner, "already_stopped"), reason=was.reason)
        return replace(report, survivors=[], ms=0, signal=None)
    ending = runner.ending
    return replace(
        done(name, runner, "killed" if wish.kill else "stopped"),
        ok=not ending.survivors,
        signal=ending.signal,
        ms=round(seconds * 1000),
        survivors=list(ending.survivors),
    )


def failed(name: str, runner: Runner) -> ActionReport:
    """Report that what was asked did not happen, and why."""
    error, report = failure(name, runner), done(name, runner, "failed")
    return replace(report, ok=False, error=str(error), error_code=error.code, hint=error.hint)


def failure(name: str, runner: Runner) -> TaskmuxError:
    """Return why what was asked of a task did not happen."""
    if runner.error is not None:
        return runner.error
    if runner.task.state is State.FAILED and runner.status in CANNOT_RUN:
        return SpawnFailed(name, runner.task.reason)
    return TaskFailed(name, *_how(runner))


def done(name: str, runner: Runner, action: str) -> ActionReport:
    """Report that `action` was done, and how the task is now."""
    state, reason = _how(runner)
    return ActionReport(task=name, action=action, state=state, reason=reason)


def _started(name: str, runner: Runner, action: str, waited: bool) -> ActionReport:
    task = runner.task
    if not waited and task.state not in RESTING:
        return done(name, runner, "requested")
    ended_well = task.state is State.STOPPED and task.wanted
    if task.state not in RESTING or task.state is State.COMPLETED or ended_well:
        return done(name, runner, action)
    return failed(name, runner)


def _how(runner: Runner) -> tuple[str, str]:
    return runner.task.state, runner.task.reason
