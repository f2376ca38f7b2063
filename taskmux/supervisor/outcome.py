"""What became of a wish, as a report: for one task, once it came to an end."""

from __future__ import annotations

from msgspec.structs import replace

from taskmux.errors import Overtaken, SpawnFailed, TaskFailed, TaskmuxError
from taskmux.lifecycle import CANNOT_RUN, RESTING, State, Stop, Task
from taskmux.runner import Runner
from taskmux.wire import ActionReport

from .verdicts import up

OVERTAKEN = "overtaken"
"""The `action` of a report on what somebody asked otherwise of, before it had come about."""


def of_start(
    name: str, runner: Runner, before: Task, named: list[str], waited: bool, wish: int
) -> ActionReport:
    """Report on a task that was to be started; `before` is how it was.

    `wish` numbers the newest of its wishes when this one had been taken.
    """
    if up(before):
        return _started(name, runner, "already_running", True, wish)
    if before.state is State.COMPLETED and name not in named:
        return done(name, runner, "already_completed")
    return _started(name, runner, "started", waited, wish)


def of_restart(name: str, runner: Runner, waited: bool, wish: int) -> ActionReport:
    """Report on a task that was stopped to be started again; `wish` is its stop's or start's."""
    return _started(name, runner, "restarted", waited, wish)


def of_stop(
    name: str, runner: Runner, was: Task, ended: Task, wish: Stop, number: int, seconds: float
) -> ActionReport:
    """Report on a task that was to be stopped: how it `was`, and how that `ended`."""
    if ended.state not in RESTING:
        return not_done(name, runner, number)
    # As it was then: somebody may have it up again by now.
    report = replace(done(name, runner, "already_stopped"), state=ended.state, reason=was.reason)
    if was.state in RESTING:
        return replace(report, survivors=[], ms=0, signal=None)
    ending = runner.ending
    return replace(
        report,
        action="killed" if wish.kill else "stopped",
        reason=ended.reason,
        ok=not ending.survivors,
        signal=ending.signal,
        ms=round(seconds * 1000),
        survivors=list(ending.survivors),
    )


def not_done(name: str, runner: Runner, wish: int) -> ActionReport:
    """Report that what was asked under the number `wish` did not come about, and why."""
    overtaken = runner.wishes != wish
    error: TaskmuxError = Overtaken(name, *_how(runner)) if overtaken else failure(name, runner)
    report = done(name, runner, OVERTAKEN if overtaken else "failed")
    return replace(report, ok=False, error=str(error), error_code=error.code, hint=error.hint)


def failure(name: str, runner: Runner) -> TaskmuxError:
    """Return why what was last asked of a task did not happen."""
    if runner.error is not None:
        return runner.error
    if runner.task.state is State.FAILED and runner.status in CANNOT_RUN:
        return SpawnFailed(name, runner.task.reason)
    return TaskFailed(name, *_how(runner))


def done(name: str, runner: Runner, action: str) -> ActionReport:
    """Report that `action` was done, and how the task is now."""
    state, reason = _how(runner)
    return ActionReport(task=name, action=action, state=state, reason=reason)


def _started(name: str, runner: Runner, action: str, waited: bool, wish: int) -> ActionReport:
    task = runner.task
    if not task.wanted or task.state is State.FAILED:
        return not_done(name, runner, wish)
    # One that rests all the same has ended well.
    requested = not waited and task.state not in RESTING
    return done(name, runner, "requested" if requested else action)


def _how(runner: Runner) -> tuple[str, str]:
    return runner.task.state, runner.task.reason
