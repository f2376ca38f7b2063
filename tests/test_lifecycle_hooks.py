"""Hooks hold a task up at the turns of its life."""

from __future__ import annotations

import pytest

from taskmux.lifecycle import (
    Abandon,
    Action,
    Arm,
    Event,
    Exited,
    Hook,
    Hooked,
    Hopeless,
    Policy,
    Probed,
    Run,
    Signal,
    Spawn,
    Start,
    State,
    Stop,
    Task,
    Timer,
    TimerFired,
    Urge,
    step,
)

EVERY = Policy(hooks=frozenset(Hook), health_retries=2)
READY = Probed(1, True, "up")
UP = (Start(), Hooked(1, Hook.BEFORE_START), READY)
MISS = Probed(1, False, "down")
GRACE, SETTLE = Arm(1, Timer.GRACE, 5.0), Arm(1, Timer.SETTLE, 60.0)
INTERRUPT, TERMINATE, KILLED = (Signal(urge) for urge in Urge)
VETO = Hooked(1, Hook.BEFORE_STOP, "exited with 3")
AGREED = Hooked(1, Hook.BEFORE_STOP)


def last(*events: Event, policy: Policy = EVERY) -> tuple[Task, list[Action]]:
    """Return where a fresh task ends, and what only the last event made it ask for."""
    task, actions = Task(), tuple[Action, ...]()
    for event in events:
        task, actions = step(task, event, policy)
    return task, list(actions)


def test_before_start_comes_before_the_process() -> None:
    task, asked = last(Start())
    assert asked == [Run(1, Hook.BEFORE_START)]
    assert (task.state, task.reason, task.alive) == (State.STARTING, "running before_start", False)
    task, asked = last(Start(), Hooked(1, Hook.BEFORE_START))
    assert asked == [Spawn(1)]
    assert (task.reason, task.alive, task.hook) == ("not probed yet", True, None)


def test_before_start_failing_fails_the_task() -> None:
    task, asked = last(Start(), Hooked(1, Hook.BEFORE_START, "exited with 3"))
    assert task == Task(State.FAILED, wanted=True, reason="exited with 3", epoch=1)
    assert asked == []


def test_before_start_comes_after_the_dependencies() -> None:
    needy = Policy(depends_on=("db",), hooks=frozenset(Hook))
    assert last(Start(), policy=needy)[0].state is State.WAITING
    assert last(Start(), policy=needy)[0].hook is None


def test_before_start_runs_for_each_process() -> None:
    asked = last(*UP, Exited(1, 1), TimerFired(1, Timer.RETRY))[1]
    assert asked == [Run(2, Hook.BEFORE_START)]


@pytest.mark.parametrize("hook", Hook)
def test_only_the_hooks_that_have_a_command_are_run(hook: Hook) -> None:
    only = Policy(hooks=frozenset({hook}))
    task, ran = Task(), list[Hook]()
    for event in (Start(), READY, Stop(), Exited(1, 0)):
        task, actions = step(task, event, only)
        for action in actions:
            if isinstance(action, Run):
                ran.append(action.hook)
                task, more = step(task, Hooked(1, action.hook), only)
                assert not any(isinstance(other, Run) for other in more)
    assert (task.state, ran) == (State.STOPPED, [hook])


def test_after_start_comes_once_it_is_ready_and_holds_nothing_up() -> None:
    task, asked = last(*UP)
    assert asked == [SETTLE, Run(1, Hook.AFTER_START)]
    assert (task.state, task.hook) == (State.RUNNING, None)
    assert last(*UP, MISS, READY)[1] == [SETTLE]


@pytest.mark.parametrize("failure", [None, "exited with 3"])
def test_how_after_start_ends_changes_nothing(failure: str | None) -> None:
    before, _ = last(*UP)
    assert step(before, Hooked(1, Hook.AFTER_START, failure), EVERY) == (before, ())


def test_before_stop_comes_before_the_first_signal() -> None:
    task, asked = last(*UP, Stop())
    assert asked == [Run(1, Hook.BEFORE_STOP)]
    assert (task.state, task.reason, task.alive) == (State.STOPPING, "running before_stop", True)
    task, asked = last(*UP, Stop(), AGREED)
    assert (task.reason, asked) == ("SIGINT sent", [INTERRUPT, GRACE])


def test_a_timer_does_not_hurry_before_stop() -> None:
    assert last(*UP, Stop(), TimerFired(1, Timer.RETRY))[1] == []
    assert last(*UP, Stop(), TimerFired(1, Timer.SETTLE))[1] == []


@pytest.mark.parametrize(
    ("events", "state", "asked"),
    [
        (UP, State.RUNNING, [SETTLE]),
        ((*UP, MISS), State.UNHEALTHY, []),
        (UP[:2], State.STARTING, []),
    ],
    ids=["running", "unhealthy", "starting"],
)
def test_before_stop_failing_leaves_the_task_as_it_was(
    events: tuple[Event, ...], state: State, asked: list[Action]
) -> None:
    task, actions = last(*events, Stop(), VETO)
    assert (task.state, task.wanted, task.alive, task.hook) == (state, True, True, None)
    assert (task.reason, actions) == ("stop given up: exited with 3", asked)


def test_a_refused_stop_can_be_asked_for_again() -> None:
    assert last(*UP, Stop(), VETO, Stop())[1] == [Run(1, Hook.BEFORE_STOP)]
    assert last(*UP, Stop(), VETO, Stop(), AGREED)[1] == [INTERRUPT, GRACE]


def test_a_refused_restart_keeps_the_process() -> None:
    task, _ = last(*UP, Stop(), Start(), VETO)
    assert (task.state, task.wanted, task.epoch) == (State.RUNNING, True, 1)


@pytest.mark.parametrize(
    "stops",
    [(Stop(final=True),), (Stop(), Stop(final=True)), (Stop(final=True), Stop())],
    ids=["final", "then final", "final before"],
)
def test_a_final_stop_is_not_to_be_refused(stops: tuple[Stop, ...]) -> None:
    task, asked = last(*UP, *stops, VETO)
    assert (task.state, task.wanted, asked) == (State.STOPPING, False, [INTERRUPT, GRACE])


def test_a_final_stop_is_not_to_be_undone() -> None:
    for stops in ((Stop(final=True),), (Stop(), Stop(final=True)), (Stop(final=True), Stop())):
        before, _ = last(*UP, *stops)
        assert step(before, Start(), EVERY) == (before, ())
        before, _ = last(*UP, *stops, AGREED)
        assert step(before, Start(), EVERY) == (before, ())


def test_a_start_after_it_makes_a_stop_refusable_again() -> None:
    again = (Start(), Hooked(2, Hook.BEFORE_START), Stop())
    ended = (*UP, Stop(final=True), AGREED, Exited(1, 0), Hooked(1, Hook.AFTER_STOP))
    veto = Hooked(2, Hook.BEFORE_STOP, "no")
    assert last(*ended, *again, veto)[0].state is State.STARTING


def test_a_second_stop_waits_for_the_hook_too() -> None:
    before, _ = last(*UP, Stop())
    assert step(before, Stop(), EVERY) == (before, ())


def test_kill_waits_for_no_hook() -> None:
    assert last(*UP, Stop(kill=True))[1] == [KILLED]
    task, asked = last(*UP, Stop(), Stop(kill=True))
    assert asked == [Abandon(), KILLED]
    assert (task.state, task.reason, task.hook) == (State.STOPPING, "SIGKILL sent", None)
    assert (task.urge, task.wanted) == (Urge.KILL, False)
    assert step(task, VETO, EVERY) == (task, ())


def test_kill_takes_a_restart_back() -> None:
    assert last(*UP, Stop(), Start(), Stop(kill=True))[0].wanted is False
    gone = (*UP, Stop(), AGREED, Exited(1, 0), Start())
    task, asked = last(*gone, Stop(kill=True))
    assert (task.wanted, task.state, asked) == (False, State.STOPPING, [])
    assert last(*gone, Stop(kill=True), Hooked(1, Hook.AFTER_STOP))[0].state is State.STOPPED


def test_an_exit_during_before_stop_is_the_end_of_both() -> None:
    task, asked = last(*UP, Stop(), Exited(1, 0))
    assert asked == [Abandon(), Run(1, Hook.AFTER_STOP)]
    assert (task.state, task.reason, task.alive) == (State.STOPPING, "running after_stop", False)
    assert step(task, VETO, EVERY) == (task, ())
    only = Policy(hooks=frozenset({Hook.BEFORE_STOP}))
    task, asked = last(Start(), Stop(), Exited(1, 0), policy=only)
    assert task == Task(State.STOPPED, reason="stopped on request", epoch=1, resume=State.STARTING)
    assert asked == [Abandon()]


def test_an_exit_during_before_stop_leads_straight_to_the_restart() -> None:
    only = Policy(hooks=frozenset({Hook.BEFORE_STOP}))
    task, asked = last(Start(), Stop(), Start(), Exited(1, 0), policy=only)
    assert (task.state, task.hook, asked) == (State.STARTING, None, [Abandon(), Spawn(2)])
    assert last(Start(), Stop(), Start(), Exited(1, 0), Stop(), policy=only)[1] == [
        Run(2, Hook.BEFORE_STOP)
    ]


@pytest.mark.parametrize("failure", [None, "exited with 3"])
def test_after_stop_comes_last_and_cannot_refuse(failure: str | None) -> None:
    gone = (*UP, Stop(), AGREED, Exited(1, 0))
    task, asked = last(*gone)
    assert asked == [Run(1, Hook.AFTER_STOP)]
    assert (task.state, task.alive, task.urge) == (State.STOPPING, False, None)
    task, asked = last(*gone, Hooked(1, Hook.AFTER_STOP, failure))
    assert (task.state, task.reason, asked) == (State.STOPPED, "stopped on request", [])


def test_after_stop_comes_before_the_next_before_start() -> None:
    gone = (*UP, Stop(), AGREED, Start(), Exited(1, 0))
    assert last(*gone)[1] == [Run(1, Hook.AFTER_STOP)]
    assert last(*gone, Hooked(1, Hook.AFTER_STOP))[1] == [Run(2, Hook.BEFORE_START)]


def test_after_stop_comes_before_the_retry_of_an_ill_task() -> None:
    gone = (*UP, MISS, MISS, Exited(1, 0))
    assert last(*gone)[1] == [Run(1, Hook.AFTER_STOP)]
    task, asked = last(*gone, Hooked(1, Hook.AFTER_STOP))
    assert (task.state, asked) == (State.BACKOFF, [Arm(1, Timer.RETRY, 1.0)])


def test_a_stop_during_after_stop_takes_the_retry_back() -> None:
    gone = (*UP, MISS, MISS, Exited(1, 0), Stop())
    assert last(*gone)[1] == []
    assert last(*gone, Hooked(1, Hook.AFTER_STOP))[0].state is State.STOPPED


def test_after_stop_runs_when_no_process_could_be_made_before_the_stop() -> None:
    early = (Start(), Hooked(1, Hook.BEFORE_START), Stop(), Hopeless(1, "no such file"))
    assert last(*early)[1] == [Abandon(), Run(1, Hook.AFTER_STOP)]


def test_an_exit_of_its_own_runs_no_hook() -> None:
    task, asked = last(*UP, Exited(1, 0))
    assert (task.state, asked) == (State.STOPPED, [])


def test_the_end_of_another_hook_is_not_the_end_of_this_one() -> None:
    before, _ = last(*UP, Stop())
    for other in set(Hook) - {Hook.BEFORE_STOP}:
        assert step(before, Hooked(1, other), EVERY) == (before, ())
