"""The rules: what a task becomes when something happens, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

from .events import (
    Abandon,
    Action,
    Arm,
    Await,
    Cleared,
    Event,
    Exited,
    Hooked,
    Hopeless,
    Probed,
    Run,
    Signal,
    Spawn,
    Start,
    Stop,
    TimerFired,
    Unasked,
)
from .task import Hook, Policy, Restart, State, Task, Timer, Urge

Step = tuple[Task, tuple[Action, ...]]

CANNOT_RUN = {126: "the command may not be executed", 127: "command not found"}
"""What the shell answers when there was nothing to run: trying again would not help."""


def step(task: Task, event: Event, policy: Policy) -> Step:
    """Return the task after `event`, and the actions that follow from it, in order."""
    match event:
        case Start():
            return _wish_up(task, policy)
        case Stop():
            return _wish_down(task, event, policy)
        case _ if event.epoch != task.epoch:
            return task, ()
        case Probed() | Unasked():
            return _told(task, event, policy)
        case TimerFired():
            return _rung(task, event, policy)
    return _come_about(task, event, policy)


def _wish_up(task: Task, policy: Policy) -> Step:
    match task.state:
        case State.STOPPED | State.COMPLETED | State.FAILED | State.BACKOFF:
            return _begin(replace(task, wanted=True, attempt=0, final=False), policy)
        case State.STOPPING if not task.final:
            return replace(task, wanted=True, attempt=0, misses=0), ()
    return task, ()


def _wish_down(task: Task, stop: Stop, policy: Policy) -> Step:
    match stop, task.state:
        case _ if task.hook is Hook.BEFORE_STOP:
            return _stop_again(task, stop)
        case Stop(kill=True), _ if task.alive:
            return _urge(replace(task, wanted=False), Urge.KILL, policy)
        case _, State.STARTING | State.RUNNING | State.UNHEALTHY if task.alive:
            return _stop(replace(task, wanted=False, final=stop.final), policy)
        case _, State.WAITING | State.STARTING | State.BACKOFF:
            stopped, _ = _rest(replace(task, wanted=False), State.STOPPED, "stopped on request")
            return stopped, (Abandon(),)
        case _, State.COMPLETED:  # so that the next start runs it again
            return _rest(replace(task, wanted=False), State.STOPPED, "stopped on request")
    return replace(task, wanted=False, final=task.final or stop.final), ()


def _come_about(task: Task, event: Event, policy: Policy) -> Step:
    match event, task.state:
        case Cleared(), State.WAITING:
            return _prepare(task, policy)
        case Hopeless(passing=True), State.STARTING if policy.restart is not Restart.NO:
            return _back_off(replace(task, alive=False, hook=None), event.reason, policy)
        case Hopeless(), State.WAITING | State.STARTING:
            return _rest(task, State.FAILED, event.reason)
        case Hooked(), _ if event.hook is task.hook:
            return _hooked(replace(task, hook=None), event.hook, event.failure, policy)
        case Exited(), State.STARTING | State.RUNNING | State.UNHEALTHY:
            return _ended(replace(task, alive=False), event.status, policy)
        case Exited() | Hopeless(), State.STOPPING:
            return _down(task, policy)
    return task, ()


def _told(task: Task, event: Probed | Unasked, policy: Policy) -> Step:
    match event, task.state:
        case Unasked(), State.STARTING | State.RUNNING | State.UNHEALTHY:
            return replace(task, reason=f"not asked: {event.detail}"), ()
        case Probed(ok=True), State.STARTING:
            return _ready(task, event.detail, policy)
        case Probed(ok=True), State.UNHEALTHY:
            settle = Arm(task.epoch, Timer.SETTLE, policy.settle)
            return replace(task, state=State.RUNNING, reason=event.detail, misses=0), (settle,)
        case Probed(ok=True), State.RUNNING:
            return replace(task, reason=event.detail), ()
        case Probed(ok=False), State.STARTING:
            return replace(task, reason=f"not ready yet: {event.detail}"), ()
        case Probed(ok=False), State.RUNNING | State.UNHEALTHY:
            return _missed(task, event.detail, policy)
    return task, ()


def _rung(task: Task, event: TimerFired, policy: Policy) -> Step:
    match event.timer, task.state:
        case Timer.RETRY, State.BACKOFF:
            return _begin(replace(task, attempt=task.attempt + 1), policy)
        case Timer.GRACE, State.STOPPING if task.alive:
            return _urge(task, Urge.TERMINATE if task.urge is Urge.INTERRUPT else Urge.KILL, policy)
        case Timer.SETTLE, State.RUNNING:
            return replace(task, attempt=0), ()
    return task, ()


def _begin(task: Task, policy: Policy) -> Step:
    task = replace(task, epoch=task.epoch + 1, misses=0, urge=None, spent=False)
    if not policy.depends_on:
        return _prepare(task, policy)
    reason = f"waiting for {', '.join(policy.depends_on)}"
    return replace(task, state=State.WAITING, reason=reason), (Await(task.epoch),)


def _prepare(task: Task, policy: Policy) -> Step:
    if Hook.BEFORE_START not in policy.hooks:
        return _spawn(task)
    return _hold(replace(task, state=State.STARTING), Hook.BEFORE_START)


def _hold(task: Task, hook: Hook) -> Step:
    return replace(task, reason=f"running {hook}", hook=hook), (Run(task.epoch, hook),)


def _spawn(task: Task) -> Step:
    task = replace(task, state=State.STARTING, reason="not probed yet", alive=True)
    return task, (Spawn(task.epoch),)


def _ready(task: Task, detail: str, policy: Policy) -> Step:
    task = replace(task, state=State.RUNNING, reason=detail, misses=0)
    settle = Arm(task.epoch, Timer.SETTLE, policy.settle)
    if Hook.AFTER_START not in policy.hooks:
        return task, (settle,)
    return task, (settle, Run(task.epoch, Hook.AFTER_START))


def _stop(task: Task, policy: Policy) -> Step:
    if Hook.BEFORE_STOP not in policy.hooks:
        return _urge(task, Urge.INTERRUPT, policy)
    return _hold(replace(task, state=State.STOPPING, resume=task.state), Hook.BEFORE_STOP)


def _resume(task: Task, policy: Policy) -> Step:
    task = replace(task, state=task.resume, wanted=True)
    # The timer may have run out unheard while the hook was running.
    settle = Arm(task.epoch, Timer.SETTLE, policy.settle)
    return task, (settle,) if task.state is State.RUNNING else ()


def _stop_again(task: Task, stop: Stop) -> Step:
    task = replace(task, wanted=False, final=task.final or stop.final)
    if stop.kill:
        urged = replace(task, hook=None, urge=Urge.KILL, reason=f"{Urge.KILL} sent")
        return urged, (Abandon(), Signal(Urge.KILL))
    return task, ()


def _urge(task: Task, urge: Urge, policy: Policy) -> Step:
    task = replace(task, state=State.STOPPING, reason=f"{urge} sent", urge=urge)
    if urge is Urge.KILL:
        return task, (Signal(urge),)
    return task, (Signal(urge), Arm(task.epoch, Timer.GRACE, policy.grace))


def _hooked(task: Task, hook: Hook, failure: str | None, policy: Policy) -> Step:
    match hook:
        case Hook.BEFORE_START if failure is not None:
            return _rest(task, State.FAILED, failure)
        case Hook.BEFORE_START:
            return _spawn(task)
        case Hook.BEFORE_STOP if failure is not None and not task.final:
            return _resume(replace(task, reason=f"stop given up: {failure}"), policy)
        case Hook.BEFORE_STOP:
            return _urge(task, Urge.INTERRUPT, policy)
        case _:
            return _gone(task, policy)


def _missed(task: Task, detail: str, policy: Policy) -> Step:
    misses = task.misses + 1
    reason = f"{detail} ({misses} in a row)"
    task = replace(task, state=State.UNHEALTHY, reason=reason, misses=misses)
    if policy.restart is Restart.NO or misses < policy.health_retries:
        return task, ()
    return _urge(task, Urge.INTERRUPT, policy)


def _ended(task: Task, status: int, policy: Policy) -> Step:
    reason = describe_exit(status)
    if status == 0 and policy.oneshot:
        return _rest(task, State.COMPLETED, reason)
    if status in CANNOT_RUN:
        return _rest(task, State.FAILED, reason)
    if policy.restart is Restart.ALWAYS or (policy.restart is Restart.ON_FAILURE and status != 0):
        return _back_off(task, reason, policy)
    return _rest(task, State.STOPPED if status == 0 else State.FAILED, reason)


def describe_exit(status: int) -> str:
    """Return how a process ended, for people; `status` is negative for a signal."""
    if status < 0:
        return f"killed by signal {-status}"
    if status in CANNOT_RUN:
        return f"{CANNOT_RUN[status]} (exited with {status})"
    return f"exited with {status}"


def _down(task: Task, policy: Policy) -> Step:
    abandon = () if task.hook is None else (Abandon(),)
    task = replace(task, alive=False, urge=None, hook=None)
    after, actions = (
        _hold(task, Hook.AFTER_STOP) if Hook.AFTER_STOP in policy.hooks else _gone(task, policy)
    )
    return after, (*abandon, *actions)


def _gone(task: Task, policy: Policy) -> Step:
    if not task.wanted:
        return _rest(task, State.STOPPED, "stopped on request")
    if task.misses:
        return _back_off(task, f"{task.misses} failed probes in a row", policy)
    return _begin(task, policy)


def _back_off(task: Task, reason: str, policy: Policy) -> Step:
    if task.attempt >= policy.max_restarts:
        reason = f"{reason}; gave up after {task.attempt} restarts"
        return _rest(replace(task, spent=True), State.FAILED, reason)
    delay = backoff_delay(task.attempt, policy)
    reason = f"{reason}; restart {task.attempt + 1} of {policy.max_restarts} in {delay:g} s"
    return replace(task, state=State.BACKOFF, reason=reason), (Arm(task.epoch, Timer.RETRY, delay),)


def backoff_delay(attempt: int, policy: Policy) -> float:
    """Return how long to wait before restart number `attempt`, counted from 0."""
    try:
        return min(policy.backoff**attempt, policy.backoff_limit)
    except OverflowError:  # powers of floats raise where a product would be `inf`
        return policy.backoff_limit


def _rest(task: Task, state: State, reason: str) -> Step:
    return replace(task, state=state, reason=reason, hook=None, alive=False), ()
