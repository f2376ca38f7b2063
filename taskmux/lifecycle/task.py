"""What is known about a task, and how it wants to be treated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What the task is doing; the `state` of `taskmux status`."""

    STOPPED = "stopped"
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    COMPLETED = "completed"
    FAILED = "failed"


RESTING = {State.STOPPED, State.COMPLETED, State.FAILED}
"""Nothing happens to the task until somebody starts it."""


class Restart(StrEnum):
    """When a task that ended by itself is started again."""

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


class Timer(StrEnum):
    """What a task may be waiting for."""

    RETRY = "retry"
    GRACE = "grace"
    SETTLE = "settle"


class Urge(StrEnum):
    """How hard a task is asked to end, mildest first."""

    INTERRUPT = "SIGINT"
    TERMINATE = "SIGTERM"
    KILL = "SIGKILL"


class Hook(StrEnum):
    """A command of the user's at a turn of the task's life."""

    BEFORE_START = "before_start"
    AFTER_START = "after_start"
    BEFORE_STOP = "before_stop"
    AFTER_STOP = "after_stop"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a task wants to be treated, from its table in taskmux.toml. Times are in seconds."""

    depends_on: tuple[str, ...] = ()
    oneshot: bool = False
    restart: Restart = Restart.ON_FAILURE
    max_restarts: int = 5
    backoff: float = 2.0
    """Base of the delay: `backoff ** attempt`, at most `backoff_limit`."""
    backoff_limit: float = 60.0
    health_retries: int = 3
    grace: float = 5.0
    """How long each urge is given before the next, harder one."""
    settle: float = 60.0
    """How long a task must be well for its past failures to be forgotten."""
    hooks: frozenset[Hook] = frozenset()
    """The hooks that have a command."""


@dataclass(frozen=True, slots=True)
class Task:
    """Everything `step` remembers about a task between events."""

    state: State = State.STOPPED
    wanted: bool = False
    reason: str = "not started yet"
    epoch: int = 0
    attempt: int = 0
    """Restarts since the task was last well, or was started by the user."""
    misses: int = 0
    spent: bool = False
    """It failed because it may not be restarted any more."""

    urge: Urge | None = None
    alive: bool = False
    hook: Hook | None = None
    resume: State = State.RUNNING
    """Where a stop that `before_stop` refuses leads back to."""
    final: bool = False
    """A stop that no `before_stop` can refuse, and no start undo: the daemon ends, or the task
    is removed."""
