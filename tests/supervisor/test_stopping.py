from __future__ import annotations

import anyio
import pytest

from taskmux.errors import NotRunning
from taskmux.lifecycle import Start, State
from taskmux.supervisor import Services
from taskmux.wire import ActionReport
from tests.projects.estate import Ear
from tests.supervisor.conftest import Opened

SLEEP = 'command = "exec sleep 1000"\n'
DEAF = """
command = "trap '' INT; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 0.2
"""
DIAMOND = f"""
[tasks.db]
{SLEEP}
[tasks.api]
{SLEEP}depends_on = ["db"]
[tasks.worker]
{DEAF}depends_on = ["db"]
[tasks.web]
{SLEEP}depends_on = ["api", "worker"]
"""


async def test_dependents_are_down_before_what_they_need(
    opened: Opened, services: Services
) -> None:
    async with opened(DIAMOND) as supervisor:
        await supervisor.start([])
        ear = Ear(services.bus)
        reports = await supervisor.stop([])
        assert [report.task for report in reports] == ["db", "api", "worker", "web"]
        assert {(report.ok, report.action) for report in reports} == {(True, "stopped")}
        order = [event["task"] for event in ear.kinds("task_stopped")]
        assert order == ["web", "api", "worker", "db"]


async def test_only_what_was_named_is_stopped(opened: Opened) -> None:
    async with opened(DIAMOND) as supervisor:
        await supervisor.start([])
        await supervisor.stop(["db"])
        states = [supervisor.crew[name].task.state for name in supervisor.crew]
        assert states == [State.STOPPED, State.RUNNING, State.RUNNING, State.RUNNING]


async def test_a_stop_says_what_it_took(opened: Opened) -> None:
    async with opened(f"[tasks.a]\n{SLEEP}[tasks.deaf]\n{DEAF}") as supervisor:
        await supervisor.start([])
        polite, deaf = await supervisor.stop([])
        assert (polite.signal, deaf.signal) == ("SIGINT", "SIGTERM")
        assert isinstance(deaf.ms, int)
        assert deaf.ms >= 200
        assert (polite.survivors, deaf.survivors) == ([], [])
        [again] = await supervisor.stop(["a"])
        assert (again.ok, again.action, again.signal) == (True, "already_stopped", None)
        await supervisor.start(["deaf"])
        [killed] = await supervisor.stop(["deaf"], kill=True)
        assert (killed.action, killed.signal) == ("killed", "SIGKILL")
        with pytest.raises(NotRunning):
            await supervisor.stop(["deaf"], kill=True)


async def test_a_task_that_is_wanted_again_before_its_turn_is_left_alone(opened: Opened) -> None:
    tables = f'[tasks.db]\n{SLEEP}[tasks.web]\n{DEAF}depends_on = ["db"]\n'
    async with opened(tables) as supervisor:
        await supervisor.start([])
        reports: list[ActionReport] = []

        async def stop() -> None:
            reports.extend(await supervisor.stop([]))

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            web = supervisor.crew["web"].runner
            await web.wait_until(lambda task: task.state is State.STOPPING)
            supervisor.crew["db"].runner.ask(Start())
        db, web_report = reports
        assert (db.ok, db.state, web_report.ok) == (False, State.RUNNING, True)
        assert supervisor.crew["db"].task.state is State.RUNNING


async def test_a_stop_that_a_hook_refuses_is_an_answer_and_the_end_is_not_refused(
    opened: Opened, services: Services
) -> None:
    tables = f'[tasks.a]\n{SLEEP}[tasks.a.hooks]\nbefore_stop = "echo not now; false"\n'
    ear = Ear(services.bus)
    async with opened(tables) as supervisor:
        await supervisor.start([])
        [refused] = await supervisor.stop(["a"])
        assert (refused.ok, refused.error_code, refused.state) == (False, "E400", State.RUNNING)
        assert not ear.kinds("task_stopped")
    assert [event["task"] for event in ear.kinds("task_stopped")] == ["a"]


async def test_who_asks_and_goes_away_does_not_end_the_stopping(opened: Opened) -> None:
    async with opened(f"[tasks.a]\n{DEAF}") as supervisor:
        await supervisor.start([])
        runner = supervisor.crew["a"].runner
        async with anyio.create_task_group() as group:
            group.start_soon(supervisor.stop, ["a"])
            await runner.wait_until(lambda task: task.state is State.STOPPING)
            group.cancel_scope.cancel()
        await runner.wait_until(lambda task: task.state is State.STOPPED)
