"""A task changes hands: when it may, and what the next owner has to see to."""

from __future__ import annotations

from .events import Action, Arm, Await
from .task import Policy, State, Task, Timer


def portable(task: Task) -> bool:
    """Return whether `task` is in the middle of nothing that only its present owner knows."""
    return task.hook is None and task.state is not State.STOPPING


def resume(task: Task, policy: Policy, retry: float) -> tuple[Action, ...]:
    """Return what has to be under way for a task that was carried over.

    `retry` is what is left of its backoff, in seconds. How long it has been well
    is not carried: it has to be so anew for its past failures to be forgotten.
    """
    match task.state:
        case State.WAITING:
            return (Await(task.epoch),)
        case State.BACKOFF:
            return (Arm(task.epoch, Timer.RETRY, retry),)
        case State.RUNNING:
            return (Arm(task.epoch, Timer.SETTLE, policy.settle),)
    return ()
