"""What of a step is worth an event in the history, as a pure function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .events import Event, Exited, Hooked, Probed, Stop, TimerFired
from .step import backoff_delay
from .task import Policy, State, Task, Timer


@dataclass(frozen=True, slots=True)
class News:
    """One entry for the event history: its kind, and what there is to say."""

    kind: str
    facts: dict[str, object] = field(default_factory=dict)


def news(before: Task, event: Event, after: Task, policy: Policy) -> Iterator[News]:
    """Yield what the history should hold of this step, in the order it happened."""
    yield from _told(before, event, after)
    if after.state is before.state:
        return
    match after.state:
        case State.RUNNING if before.state is State.STARTING:
            yield News("task_ready", {"reason": after.reason})
        case State.COMPLETED:
            yield News("task_completed")
        case State.FAILED:
            if after.spent and policy.max_restarts > 0:
                yield News("max_restarts_reached", {"restarts": after.attempt})
            yield News("task_failed", {"reason": after.reason})
        case State.STOPPED:
            yield News("task_stopped", {"reason": after.reason})
        case State.BACKOFF:
            delay = backoff_delay(after.attempt, policy)
            yield News("restart_scheduled", {"delay": delay, "reason": after.reason})
        case _:
            pass


def _told(before: Task, event: Event, after: Task) -> Iterator[News]:
    match event:
        case Exited(status=status) if before.alive and event.epoch == before.epoch:
            code, signal = (status, None) if status >= 0 else (None, -status)
            yield News("task_exited", {"exit_code": code, "signal": signal})
        case Stop(kill=True) if before.alive:
            yield News("task_killed")
        case Hooked(hook=hook, failure=str(failure)) if event.epoch == before.epoch:
            yield News("hook_failed", {"hook": hook, "reason": failure})
        case Probed(ok=False) if after.misses > before.misses:
            facts = {"attempt": after.misses, "reason": event.detail}
            yield News("health_check_failed", facts)
        case TimerFired(timer=Timer.RETRY) if after.epoch > before.epoch:
            yield News("auto_restart", {"attempt": after.attempt, "reason": before.reason})
        case _:
            pass
