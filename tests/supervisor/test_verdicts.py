from __future__ import annotations

import pytest

from taskmux.lifecycle import State, Task
from taskmux.project import Condition
from taskmux.supervisor.verdicts import Verdict, settled, up, verdict

READY, WAIT, LOST = Verdict.READY, Verdict.WAIT, Verdict.LOST
ALIVE = {State.STARTING, State.RUNNING, State.UNHEALTHY, State.STOPPING}


@pytest.mark.parametrize(
    ("state", "started", "healthy", "completed"),
    [
        (State.STOPPED, LOST, LOST, LOST),
        (State.WAITING, WAIT, WAIT, WAIT),
        (State.STARTING, READY, WAIT, WAIT),
        (State.RUNNING, READY, READY, WAIT),
        (State.UNHEALTHY, READY, WAIT, WAIT),
        (State.STOPPING, WAIT, WAIT, WAIT),
        (State.BACKOFF, WAIT, WAIT, WAIT),
        (State.COMPLETED, READY, READY, READY),
        (State.FAILED, LOST, LOST, LOST),
    ],
)
def test_what_a_wanted_dependency_means(
    state: State, started: Verdict, healthy: Verdict, completed: Verdict
) -> None:
    task = Task(state, wanted=True, alive=state in ALIVE)
    conditions = (Condition.STARTED, Condition.HEALTHY, Condition.COMPLETED)
    assert [verdict(task, c) for c in conditions] == [started, healthy, completed]


def test_a_hook_that_still_runs_is_no_start() -> None:
    assert verdict(Task(State.STARTING, wanted=True), Condition.STARTED) is WAIT


@pytest.mark.parametrize("condition", Condition)
def test_a_dependency_that_is_being_stopped_for_good_is_lost(condition: Condition) -> None:
    assert verdict(Task(State.STOPPING, wanted=False, alive=True), condition) is LOST


@pytest.mark.parametrize("state", State)
def test_a_start_ends_ready_or_at_rest(state: State) -> None:
    ends = {State.RUNNING, State.STOPPED, State.COMPLETED, State.FAILED}
    assert settled(Task(state), oneshot=False) == (state in ends)
    assert settled(Task(state), oneshot=True) == (state in ends - {State.RUNNING})


@pytest.mark.parametrize("state", State)
def test_a_start_has_nothing_to_do_for_what_is_on_its_way_up(state: State) -> None:
    on_its_way = {State.WAITING, State.STARTING, State.RUNNING, State.UNHEALTHY}
    assert up(Task(state)) == (state in on_its_way)
