from __future__ import annotations

from dataclasses import replace

import pytest

from taskmux.lifecycle import (
    Action,
    Arm,
    Await,
    Hook,
    Policy,
    State,
    Task,
    Timer,
    portable,
    resume,
)

POLICY = Policy(settle=60.0)


@pytest.mark.parametrize("state", State)
def test_only_a_stop_under_way_is_not_carried(state: State) -> None:
    assert portable(Task(state=state)) == (state is not State.STOPPING)


@pytest.mark.parametrize("hook", Hook)
def test_no_hook_under_way_is_carried(hook: Hook) -> None:
    assert not portable(Task(state=State.STARTING, hook=hook))


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        (State.WAITING, (Await(7),)),
        (State.BACKOFF, (Arm(7, Timer.RETRY, 1.5),)),
        (State.RUNNING, (Arm(7, Timer.SETTLE, 60.0),)),
        (State.STARTING, ()),
        (State.UNHEALTHY, ()),
        (State.STOPPED, ()),
        (State.COMPLETED, ()),
        (State.FAILED, ()),
    ],
)
def test_what_was_under_way_is_begun_anew(state: State, actions: tuple[Action, ...]) -> None:
    task = replace(Task(state=state), epoch=7)
    assert resume(task, POLICY, 1.5) == actions
