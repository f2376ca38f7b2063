"""What of a task's life is worth an event."""

from __future__ import annotations

from typing import Any

import pytest

from taskmux.lifecycle import (
    Cleared,
    Event,
    Exited,
    Hook,
    Hooked,
    Hopeless,
    Policy,
    Probed,
    Start,
    Stop,
    Task,
    Timer,
    TimerFired,
    news,
    step,
)

POLICY = Policy(max_restarts=1, health_retries=2)
NEEDY = Policy(depends_on=("db",))
UP = (Start(), Probed(1, True, "HTTP 200"))
MISS = Probed(1, False, "HTTP 500")
RETRY = TimerFired(1, Timer.RETRY)
AGAIN = (*UP, Exited(1, 1), RETRY)
EXIT = "exited with 1; restart 1 of 1 in 1 s"
GAVE_UP = "exited with 1; gave up after 1 restarts"


def told(*events: Event, policy: Policy = POLICY) -> list[tuple[str, dict[str, Any]]]:
    """Return the news of the last event."""
    task = Task()
    for event in events:
        before, (task, _) = task, step(task, event, policy)
    return [(item.kind, item.facts) for item in news(before, event, task, policy)]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (UP[:1], []),
        (UP, [("task_ready", {"reason": "HTTP 200"})]),
        ((*UP, UP[1]), []),
        ((*UP, MISS), [("health_check_failed", {"attempt": 1, "reason": "HTTP 500"})]),
        ((*UP, MISS, MISS), [("health_check_failed", {"attempt": 2, "reason": "HTTP 500"})]),
        ((*UP, MISS, UP[1]), []),
        ((Start(), MISS), []),
        ((*UP, Stop()), []),
        ((*UP, Stop(kill=True)), [("task_killed", {})]),
        (
            (Start(), Exited(1, 1), Stop(kill=True)),
            [("task_stopped", {"reason": "stopped on request"})],
        ),
        (
            (*UP, Stop(), Exited(1, -2)),
            [
                ("task_exited", {"exit_code": None, "signal": 2}),
                ("task_stopped", {"reason": "stopped on request"}),
            ],
        ),
        (
            (*UP, Exited(1, 0)),
            [
                ("task_exited", {"exit_code": 0, "signal": None}),
                ("task_stopped", {"reason": "exited with 0"}),
            ],
        ),
        (
            (*UP, Exited(1, 1)),
            [
                ("task_exited", {"exit_code": 1, "signal": None}),
                ("restart_scheduled", {"delay": 1.0, "reason": EXIT}),
            ],
        ),
        (AGAIN, [("auto_restart", {"attempt": 1, "reason": EXIT})]),
        (
            (*AGAIN, Exited(2, 1)),
            [
                ("task_exited", {"exit_code": 1, "signal": None}),
                ("max_restarts_reached", {"restarts": 1}),
                ("task_failed", {"reason": GAVE_UP}),
            ],
        ),
        (
            (*AGAIN, Exited(2, 127)),
            [
                ("task_exited", {"exit_code": 127, "signal": None}),
                ("task_failed", {"reason": "command not found (exited with 127)"}),
            ],
        ),
        ((*AGAIN, Hopeless(2, "no shell")), [("task_failed", {"reason": "no shell"})]),
        ((*UP, Stop(), Exited(1, 0), Exited(1, 0)), []),
        ((*AGAIN, Exited(1, 1)), []),
        ((*AGAIN, Probed(1, False, "late")), []),
        ((*AGAIN, Hooked(1, Hook.AFTER_START, "late")), []),
        ((*UP, Stop(), Stop()), []),
        ((*UP, Exited(1, 1), Stop(), RETRY), []),
        (
            (*UP, Hooked(1, Hook.AFTER_START, "exited with 3")),
            [("hook_failed", {"hook": "after_start", "reason": "exited with 3"})],
        ),
        ((*UP, Hooked(1, Hook.AFTER_START)), []),
    ],
)
def test_what_is_told(
    events: tuple[Event, ...], expected: list[tuple[str, dict[str, Any]]]
) -> None:
    assert told(*events) == expected


@pytest.mark.parametrize(
    ("policy", "events", "expected"),
    [
        (Policy(oneshot=True), (*UP, Exited(1, 0)), ["task_exited", "task_completed"]),
        (Policy(max_restarts=0), (*UP, Exited(1, 1)), ["task_exited", "task_failed"]),
        (NEEDY, (Start(), Hopeless(1, "db is gone")), ["task_failed"]),
        (NEEDY, (Start(), Cleared(1)), []),
        (NEEDY, (Start(), Stop()), ["task_stopped"]),
    ],
)
def test_what_is_told_elsewhere(
    policy: Policy, events: tuple[Event, ...], expected: list[str]
) -> None:
    assert [kind for kind, _ in told(*events, policy=policy)] == expected


def test_a_restart_by_the_user_is_no_automatic_one() -> None:
    assert told(*UP, Stop(), Start(), Exited(1, 0)) == [
        ("task_exited", {"exit_code": 0, "signal": None})
    ]
    assert told(*UP, Exited(1, 1), Start()) == []


def test_a_task_that_ran_out_of_restarts_says_so_after_its_last_hook() -> None:
    policy = Policy(max_restarts=1, health_retries=1, hooks=frozenset({Hook.AFTER_STOP}))
    ended = (Probed(2, True, "up"), Probed(2, False, "down"), Exited(2, 0))
    kinds = [kind for kind, _ in told(*AGAIN, *ended, Hooked(2, Hook.AFTER_STOP), policy=policy)]
    assert kinds == ["max_restarts_reached", "task_failed"]
