"""Whether a dependency lets its dependents start: a pure reading of its state."""

from __future__ import annotations

from enum import Enum

from taskmux.lifecycle import RESTING, State, Task
from taskmux.project import Condition


class Verdict(Enum):
    """What a dependency means to a task that waits for it."""

    READY = "go on"
    WAIT = "it may still become ready"
    LOST = "it cannot become ready unless somebody starts it"


def verdict(task: Task, condition: Condition) -> Verdict:
    """Return what `task` means to one that needs it to be as `condition` says."""
    if task.state is State.COMPLETED or _met(task, condition):
        return Verdict.READY
    given_up = task.state is State.STOPPING and not task.wanted
    return Verdict.LOST if given_up or task.state in RESTING else Verdict.WAIT


def settled(task: Task, *, oneshot: bool) -> bool:
    """Return whether a start has come to an end, well or not; that of a oneshot is its own."""
    return task.state in RESTING or (task.state is State.RUNNING and not oneshot)


def up(task: Task) -> bool:
    """Return whether there is nothing for a start to do."""
    return task.state not in RESTING | {State.STOPPING, State.BACKOFF}


def _met(task: Task, condition: Condition) -> bool:
    match condition:
        case Condition.STARTED:
            return task.alive and task.state is not State.STOPPING
        case Condition.HEALTHY:
            return task.state is State.RUNNING
        case Condition.COMPLETED:
            return False
