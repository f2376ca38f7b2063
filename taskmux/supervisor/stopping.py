"""Stops tasks in order: whoever depends on a task ends before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio
from anyio import create_task_group

from taskmux import graph
from taskmux.lifecycle import RESTING, State, Stop, Task
from taskmux.runner import Runner
from taskmux.wire import ActionReport

from . import outcome


@dataclass(frozen=True, slots=True)
class Stopped:
    """How the stop of one task went; `wish` is its number among what was asked of the task."""

    report: ActionReport
    wish: int


async def stop_in_order(
    runners: Mapping[str, Runner],
    needs: graph.Graph,
    wish: Stop,
    asked: Callable[[str, int], None] = lambda name, wish: None,
) -> dict[str, Stopped]:
    """Stop `runners`, dependents first, and return when nothing is left of them.

    A task that somebody wants up again before its turn is left alone: the newer
    wish counts, unless this one is final. `asked` is called with the name of each
    that was not, and the number of the wish, as soon as it has that.
    """
    users = graph.reverse(needs)
    done = {name: anyio.Event() for name in runners}
    found: dict[str, Stopped] = {}

    async def stop(name: str, runner: Runner, older: int) -> None:
        for user in users.get(name, ()):
            if user in done:
                await done[user].wait()
        if runner.wishes == older or wish.final or not runner.task.wanted:
            found[name] = await _stop(name, runner, wish, asked)
        else:
            found[name] = Stopped(outcome.not_done(name, runner, older), older)
        done[name].set()

    async with create_task_group() as group:
        for name, runner in runners.items():
            group.start_soon(stop, name, runner, runner.wishes)
    return {name: found[name] for name in runners}


async def _stop(
    name: str, runner: Runner, wish: Stop, asked: Callable[[str, int], None]
) -> Stopped:
    began, was = anyio.current_time(), runner.task
    number = runner.ask(wish)
    asked(name, number)
    ended = await runner.wait_until(_stopped_or_refused)
    seconds = anyio.current_time() - began
    return Stopped(outcome.of_stop(name, runner, was, ended, wish, number, seconds), number)


def _stopped_or_refused(task: Task) -> bool:
    refused = task.wanted and task.state in {State.RUNNING, State.UNHEALTHY}
    return task.state in RESTING or refused
