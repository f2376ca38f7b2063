from __future__ import annotations

from dataclasses import replace

import pytest

from taskmux.lifecycle import (
    CANNOT_RUN,
    RESTING,
    Abandon,
    Action,
    Arm,
    Await,
    Cleared,
    Event,
    Exited,
    Hook,
    Hooked,
    Hopeless,
    Policy,
    Probed,
    Restart,
    Signal,
    Spawn,
    Start,
    State,
    Stop,
    Task,
    Timer,
    TimerFired,
    Unasked,
    Urge,
    backoff_delay,
    describe_exit,
    step,
)

POLICY = Policy(max_restarts=2, health_retries=2)
NEEDY = Policy(depends_on=("db", "mail"))
UP = (Start(), Probed(1, True, "HTTP 200"))
MISS = Probed(1, False, "HTTP 500")
INSIST = TimerFired(1, Timer.GRACE)
RETRY = TimerFired(1, Timer.RETRY)
SETTLED = TimerFired(1, Timer.SETTLE)
KILL = Stop(kill=True)
SOON = "; restart 1 of 5 in 1 s"
INTERRUPT, TERMINATE, KILLED = (Signal(urge) for urge in Urge)
GRACE = Arm(1, Timer.GRACE, 5.0)
SETTLE = Arm(1, Timer.SETTLE, 60.0)


def play(*events: Event, policy: Policy = POLICY) -> tuple[Task, list[Action]]:
    """Feed events to a fresh task; return where it ends and everything it asked for."""
    task, asked = Task(), list[Action]()
    for event in events:
        task, actions = step(task, event, policy)
        asked += actions
    return task, asked


def last(*events: Event, policy: Policy = POLICY) -> tuple[Task, list[Action]]:
    """Return where a fresh task ends, and what only the last event made it ask for."""
    before, _ = play(*events[:-1], policy=policy)
    after, actions = step(before, events[-1], policy)
    return after, list(actions)


def with_hook(*hooks: Hook, policy: Policy = POLICY) -> Policy:
    return replace(policy, hooks=frozenset(hooks))


# Starting


def test_is_at_rest_until_somebody_starts_it() -> None:
    assert Task() == Task(State.STOPPED, wanted=False, reason="not started yet", epoch=0)
    assert {State.STOPPED, State.COMPLETED, State.FAILED} == RESTING


def test_starts_and_becomes_ready() -> None:
    task, asked = play(*UP)
    assert task == Task(State.RUNNING, wanted=True, reason="HTTP 200", epoch=1, alive=True)
    assert asked == [Spawn(1), SETTLE]


def test_has_a_process_from_the_order_to_make_one() -> None:
    starting, _ = play(Start())
    assert starting == Task(State.STARTING, True, reason="not probed yet", epoch=1, alive=True)


def test_says_why_it_is_not_ready() -> None:
    assert play(Start(), MISS)[0] == replace(play(Start())[0], reason="not ready yet: HTTP 500")


def test_a_slow_start_is_not_an_illness() -> None:
    assert play(Start(), *[MISS] * 9)[0].state is State.STARTING
    assert play(Start(), MISS, Probed(1, True, "up"), MISS)[0].misses == 1


def test_waits_for_what_it_depends_on() -> None:
    task, asked = play(Start(), policy=NEEDY)
    waiting = Task(State.WAITING, wanted=True, reason="waiting for db, mail", epoch=1)
    assert (task, asked) == (waiting, [Await(1)])
    assert step(task, Cleared(1), NEEDY)[1] == (Spawn(1),)


@pytest.mark.parametrize("policy", [POLICY, NEEDY], ids=["no process", "lost dependency"])
def test_what_cannot_be_started_fails_once(policy: Policy) -> None:
    task, asked = last(Start(), Hopeless(1, "no such file"), policy=policy)
    assert task == Task(State.FAILED, wanted=True, reason="no such file", epoch=1)
    assert asked == []


@pytest.mark.parametrize("rest", [*sorted(RESTING), State.BACKOFF])
def test_start_begins_anew_from_any_rest(rest: State) -> None:
    task, asked = step(Task(rest, epoch=4, attempt=2, misses=1, final=True), Start(), POLICY)
    new = Task(State.STARTING, wanted=True, reason="not probed yet", epoch=5, alive=True)
    assert (task, asked) == (new, (Spawn(5),))


@pytest.mark.parametrize("policy", [POLICY, NEEDY], ids=["starting", "waiting"])
def test_start_of_what_is_starting_changes_nothing(policy: Policy) -> None:
    before, _ = play(Start(), policy=policy)
    assert step(before, Start(), policy) == (before, ())


@pytest.mark.parametrize("events", [UP, (*UP, MISS)], ids=["running", "unhealthy"])
def test_start_of_what_runs_changes_nothing(events: tuple[Event, ...]) -> None:
    before, _ = play(*events)
    assert step(before, Start(), POLICY) == (before, ())


# Stopping


def test_stop_asks_then_insists_then_kills() -> None:
    task, asked = play(*UP, Stop(), INSIST, INSIST)
    assert asked[2:] == [INTERRUPT, GRACE, TERMINATE, GRACE, KILLED]
    assert (task.state, task.reason, task.alive) == (State.STOPPING, "SIGKILL sent", True)
    stopped = Task(State.STOPPED, reason="stopped on request", epoch=1)
    assert step(task, Exited(1, -9), POLICY) == (stopped, ())


def test_each_urge_is_given_the_tasks_own_grace() -> None:
    assert play(*UP, Stop(), policy=Policy(grace=15.0))[1][-1] == Arm(1, Timer.GRACE, 15.0)


@pytest.mark.parametrize("events", [(Start(),), UP, (*UP, MISS)], ids=str)
def test_whatever_has_a_process_is_asked_to_stop(events: tuple[Event, ...]) -> None:
    task, asked = last(*events, Stop())
    assert (task.state, task.reason, task.wanted) == (State.STOPPING, "SIGINT sent", False)
    assert asked == [INTERRUPT, GRACE]


def test_a_second_stop_asks_for_nothing() -> None:
    before, _ = play(*UP, Stop())
    assert step(before, Stop(), POLICY) == (before, ())


@pytest.mark.parametrize(
    ("events", "policy"),
    [
        ((Start(),), NEEDY),
        ((Start(),), with_hook(Hook.BEFORE_START)),
        ((Start(), Exited(1, 1)), POLICY),
    ],
    ids=["waiting", "hooked", "backing off"],
)
@pytest.mark.parametrize("stop", [Stop(), KILL, Stop(final=True)], ids=["stop", "kill", "final"])
def test_what_has_no_process_is_stopped_at_once(
    events: tuple[Event, ...], policy: Policy, stop: Stop
) -> None:
    task, asked = last(*events, stop, policy=policy)
    assert task == Task(State.STOPPED, reason="stopped on request", epoch=1)
    assert asked == [Abandon()]


@pytest.mark.parametrize("rest", [State.STOPPED, State.FAILED])
@pytest.mark.parametrize("stop", [Stop(), KILL], ids=["stop", "kill"])
def test_stop_at_rest_only_takes_back_the_wish(rest: State, stop: Stop) -> None:
    before = Task(rest, wanted=True, reason="…", epoch=3)
    assert step(before, stop, POLICY) == (replace(before, wanted=False), ())


def test_a_stop_has_what_was_completed_done_again_by_the_next_start() -> None:
    before = Task(State.COMPLETED, wanted=True, reason="exited with 0", epoch=3)
    task, asked = step(before, Stop(), POLICY)
    assert (task.state, task.wanted, task.reason) == (State.STOPPED, False, "stopped on request")
    assert asked == ()


@pytest.mark.parametrize("events", [(Start(),), UP, (*UP, MISS), (*UP, Stop())], ids=str)
def test_kill_does_not_ask(events: tuple[Event, ...]) -> None:
    task, asked = last(*events, KILL)
    assert (task.state, task.reason, task.wanted) == (State.STOPPING, "SIGKILL sent", False)
    assert asked == [KILLED]


def test_a_stop_reaches_a_process_that_could_not_be_made() -> None:
    task, _ = play(Start(), Stop(), Hopeless(1, "no such file"))
    assert task == Task(State.STOPPED, reason="stopped on request", epoch=1)


def test_start_while_stopping_comes_back_at_once() -> None:
    task, asked = play(*UP, MISS, MISS, Start(), Exited(1, 0))
    assert task == Task(State.STARTING, True, reason="not probed yet", epoch=2, alive=True)
    assert asked[-1] == Spawn(2)


def test_start_while_stopping_clears_the_counter() -> None:
    crashed = (Start(), Exited(1, 1), RETRY, Probed(2, True, "up"))
    assert play(*crashed, Stop(), Start())[0].attempt == 0
    assert play(*crashed, Stop(), Start(), Exited(2, 0))[0].attempt == 0


def test_a_restart_waits_for_dependencies_again() -> None:
    up = (Start(), Cleared(1), Probed(1, True, "up"))
    assert play(*up, Stop(), Start(), Exited(1, 0), policy=NEEDY)[1][-1] == Await(2)


@pytest.mark.parametrize("stop", [Stop(), KILL], ids=["stop", "kill"])
def test_a_stop_outlasts_the_restart_it_came_after(stop: Stop) -> None:
    task, _ = play(*UP, Stop(), Start(), stop, Exited(1, 0))
    assert (task.state, task.wanted) == (State.STOPPED, False)
    assert play(*UP, MISS, MISS, stop, Exited(1, 0))[0].state is State.STOPPED


# Ends


@pytest.mark.parametrize(
    ("policy", "status", "state", "reason"),
    [
        (Policy(restart=Restart.NO), 0, State.STOPPED, "exited with 0"),
        (Policy(restart=Restart.NO), 1, State.FAILED, "exited with 1"),
        (Policy(restart=Restart.ON_FAILURE), 0, State.STOPPED, "exited with 0"),
        (Policy(restart=Restart.ON_FAILURE), 1, State.BACKOFF, "exited with 1" + SOON),
        (Policy(restart=Restart.ON_FAILURE), -15, State.BACKOFF, "killed by signal 15" + SOON),
        (Policy(restart=Restart.ALWAYS), 0, State.BACKOFF, "exited with 0" + SOON),
        (Policy(restart=Restart.ALWAYS), -9, State.BACKOFF, "killed by signal 9" + SOON),
        (Policy(restart=Restart.ALWAYS), 126, State.FAILED, describe_exit(126)),
        (Policy(restart=Restart.ALWAYS), 127, State.FAILED, describe_exit(127)),
        (Policy(oneshot=True), 0, State.COMPLETED, "exited with 0"),
        (Policy(oneshot=True, restart=Restart.ALWAYS), 0, State.COMPLETED, "exited with 0"),
        (Policy(oneshot=True, restart=Restart.NO), 1, State.FAILED, "exited with 1"),
        (Policy(oneshot=True), 1, State.BACKOFF, "exited with 1" + SOON),
        (Policy(max_restarts=0), 1, State.FAILED, "exited with 1; gave up after 0 restarts"),
    ],
)
@pytest.mark.parametrize("events", [(Start(),), UP, (*UP, MISS)], ids=["starting", "up", "ill"])
def test_what_follows_an_exit(
    events: tuple[Event, ...], policy: Policy, status: int, state: State, reason: str
) -> None:
    task, _ = play(*events, Exited(1, status), policy=policy)
    assert (task.state, task.reason, task.alive) == (state, reason, False)
    assert task.wanted


def test_an_exit_is_told_in_words() -> None:
    assert CANNOT_RUN.keys() == {126, 127}
    assert describe_exit(0) == "exited with 0"
    assert describe_exit(-9) == "killed by signal 9"
    assert describe_exit(126) == "the command may not be executed (exited with 126)"
    assert describe_exit(127) == "command not found (exited with 127)"


def test_a_crash_is_retried_more_slowly_until_it_is_not() -> None:
    retry = (Exited(1, 1), RETRY, Exited(2, 1), TimerFired(2, Timer.RETRY))
    task, asked = play(Start(), *retry, Exited(3, 1))
    assert (task.state, task.attempt) == (State.FAILED, 2)
    assert task.reason == "exited with 1; gave up after 2 restarts"
    delays = [Arm(1, Timer.RETRY, 1.0), Arm(2, Timer.RETRY, 2.0)]
    assert asked == [Spawn(1), delays[0], Spawn(2), delays[1], Spawn(3)]


def test_while_backing_off_it_says_what_is_next() -> None:
    task, _ = play(Start(), Exited(1, 1), RETRY, Exited(2, 1))
    assert task.reason == "exited with 1; restart 2 of 2 in 2 s"


@pytest.mark.parametrize(
    ("backoff", "attempt", "delay"),
    [
        (2.0, 0, 1.0),
        (2.0, 5, 32.0),
        (2.0, 6, 60.0),
        (1.5, 2, 2.25),
        (0.0, 1, 0.0),
        (2.0, 10**6, 60.0),
        (1e200, 0, 1.0),
        (1e200, 1, 60.0),
        (1e200, 2, 60.0),
    ],
)
def test_the_delay_grows_to_its_limit(backoff: float, attempt: int, delay: float) -> None:
    policy = Policy(backoff=backoff, max_restarts=10**9)
    assert backoff_delay(attempt, policy) == delay
    task = Task(State.RUNNING, wanted=True, epoch=1, attempt=attempt, alive=True)
    assert step(task, Exited(1, 1), policy)[1] == (Arm(1, Timer.RETRY, delay),)


def test_a_minute_of_health_forgives_past_failures() -> None:
    crashed = (Start(), Exited(1, 1), RETRY, Probed(2, True, "up"))
    settled = TimerFired(2, Timer.SETTLE)
    assert play(*crashed)[0].attempt == 1
    assert play(*crashed, settled)[0] == replace(play(*crashed)[0], attempt=0)
    assert play(*crashed, Probed(2, False, "down"), settled)[0].attempt == 1


# Health


def test_misses_in_a_row_restart_the_task() -> None:
    ill, asked = last(*UP, MISS)
    assert (ill.state, ill.reason, asked) == (State.UNHEALTHY, "HTTP 500 (1 in a row)", [])
    task, asked = last(*UP, MISS, MISS)
    assert (task.state, task.reason, task.wanted) == (State.STOPPING, "SIGINT sent", True)
    assert asked == [INTERRUPT, GRACE]
    task, asked = last(*UP, MISS, MISS, Exited(1, 0))
    assert (task.state, asked) == (State.BACKOFF, [Arm(1, Timer.RETRY, 1.0)])
    assert task.reason == "2 failed probes in a row; restart 1 of 2 in 1 s"


def test_only_misses_in_a_row_count() -> None:
    task, asked = last(*UP, MISS, Probed(1, True, "HTTP 200"))
    assert (task, asked) == (play(*UP)[0], [SETTLE])
    assert play(*UP, MISS, UP[1], MISS)[0].state is State.UNHEALTHY


def test_the_newest_answer_is_the_reason() -> None:
    task, asked = last(*UP, Probed(1, True, "HTTP 204"))
    assert (task, asked) == (replace(play(*UP)[0], reason="HTTP 204"), [])


def test_a_task_that_is_never_restarted_stays_unhealthy() -> None:
    task, _ = play(*UP, *[MISS] * 9, policy=Policy(restart=Restart.NO))
    assert (task.state, task.reason) == (State.UNHEALTHY, "HTTP 500 (9 in a row)")


def test_a_probe_that_answers_while_stopping_is_not_heard() -> None:
    before, _ = play(*UP, Stop())
    assert step(before, Probed(1, True, "up"), POLICY) == (before, ())
    assert step(before, MISS, POLICY) == (before, ())


# News of other lives, and of nothing


@pytest.mark.parametrize(
    "late",
    [Exited(1, 1), MISS, INSIST, RETRY, SETTLED, Cleared(1), Hopeless(1, "…")]
    + [Hooked(1, hook) for hook in Hook],
    ids=str,
)
def test_news_of_an_older_life_changes_nothing(late: Event) -> None:
    now, _ = play(Start(), Exited(1, 1), Start())
    assert step(now, late, POLICY) == (now, ())
    assert step(replace(now, state=State.BACKOFF), late, POLICY)[1] == ()


@pytest.mark.parametrize(
    "event", [MISS, INSIST, RETRY, SETTLED, Cleared(1), Hooked(1, Hook.AFTER_START)], ids=str
)
def test_what_does_not_concern_a_stopped_task_changes_nothing(event: Event) -> None:
    before, _ = play(*UP, Stop(), Exited(1, 0))
    assert step(before, event, POLICY) == (before, ())


# When the system has run out of something

LACKING = Hopeless(1, "no more processes", passing=True)


@pytest.mark.parametrize("before", [(), (Hook.BEFORE_START,)], ids=["process", "hook"])
def test_what_could_not_be_made_is_tried_again_like_what_crashed(before: tuple[Hook, ...]) -> None:
    task, asked = last(Start(), LACKING, policy=with_hook(*before))
    assert (task.state, task.alive, task.hook) == (State.BACKOFF, False, None)
    assert task.reason == "no more processes; restart 1 of 2 in 1 s"
    assert asked == [Arm(1, Timer.RETRY, 1.0)]
    again, _ = play(
        *(Start(), LACKING, RETRY),
        *(replace(LACKING, epoch=2), replace(RETRY, epoch=2), replace(LACKING, epoch=3)),
    )
    assert (again.state, again.spent) == (State.FAILED, True)


def test_what_is_never_restarted_is_not_tried_again_either() -> None:
    task, asked = last(Start(), LACKING, policy=Policy(restart=Restart.NO))
    assert (task.state, task.reason, asked) == (State.FAILED, "no more processes", [])


@pytest.mark.parametrize("state", [State.STARTING, State.RUNNING, State.UNHEALTHY])
def test_a_probe_that_could_not_be_asked_changes_only_the_reason(state: State) -> None:
    for events in ((Start(),), UP, (*UP, MISS)):
        before, _ = play(*events)
        if before.state is state:
            after, asked = step(before, Unasked(1, "no file"), POLICY)
            assert after == replace(before, reason="not asked: no file")
            assert asked == ()
