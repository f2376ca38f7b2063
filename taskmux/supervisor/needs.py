"""Waits for those whom a task depends on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from anyio import create_task_group

from taskmux.errors import NeverReady
from taskmux.project import Condition
from taskmux.runner import Runner

from .verdicts import Verdict, verdict


async def all_met(
    name: str, needs: Mapping[Runner, Condition], still: Callable[[], Collection[str]]
) -> None:
    """Return once each is as task `name` needs it; raise `NeverReady` if one cannot become so.

    One that is not among those it `still` depends on by then is not in its way.
    """
    failures: list[NeverReady] = []

    async def met(runner: Runner, condition: Condition) -> None:
        task = await runner.wait_until(lambda task: verdict(task, condition) is not Verdict.WAIT)
        if verdict(task, condition) is Verdict.LOST and runner.spec.name in still():
            why = f"it is {task.state}: {task.reason}"
            failures.append(NeverReady(name, runner.spec.name, why))
            group.cancel_scope.cancel()

    async with create_task_group() as group:
        for runner, condition in needs.items():
            group.start_soon(met, runner, condition)
    if failures:
        raise failures[0]
