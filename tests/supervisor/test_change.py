"""What a new taskmux.toml does to tasks while what it removes takes its time to stop."""

from __future__ import annotations

import anyio
import pytest

from taskmux.errors import InvalidValue
from taskmux.lifecycle import RESTING, State
from taskmux.project import parse
from taskmux.supervisor import Supervisor
from tests.supervisor.conftest import Opened

STUBBORN = """
[tasks.stubborn]
command = "trap '' INT TERM; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 1
[tasks.base]
command = "exec sleep 1000"
"""
AGAIN = 'command = "exit 1"\nrestart_backoff = 0.05\nmax_restarts = 100000\n'
SLEEP = 'command = "exec sleep 1000"\n'
NEVER = f'[tasks.never]\n{SLEEP}ready_log = "not printed"\n'


async def apply(supervisor: Supervisor, tables: str) -> None:
    await supervisor.apply(parse(f'name = "shop"\n{tables}', "taskmux.toml"))


async def test_who_needed_what_is_being_removed_is_restarted_and_started(opened: Opened) -> None:
    needs = 'depends_on = ["base"]\n'
    before = f"[tasks.again]\n{AGAIN}{needs}[tasks.web]\n{SLEEP}{needs}"
    after = before.replace(needs, "") + f"[tasks.new]\n{SLEEP}"
    async with opened(STUBBORN + before) as supervisor, anyio.create_task_group() as group:
        await supervisor.start(["stubborn", "again"], wait=False)
        stubborn, base = (supervisor.crew[name].runner for name in ("stubborn", "base"))
        await stubborn.wait_until(lambda task: task.state is State.RUNNING)
        group.start_soon(apply, supervisor, after)
        await base.wait_until(lambda task: task.state in RESTING)
        run = supervisor.crew["again"].run
        for name in ("web", "new"):
            [report] = await supervisor.start([name])
            assert report.state == "running"
        again = supervisor.crew["again"]
        await again.runner.wait_until(lambda task: task.alive and again.run > run)
        assert stubborn.task.state is State.STOPPING


async def test_who_waits_goes_on_without_what_it_needs_no_more(opened: Opened) -> None:
    waits = f'[tasks.waits]\n{SLEEP}depends_on = ["never"]\n'
    async with opened(waits + NEVER) as supervisor:
        await supervisor.start(["waits"], wait=False)
        await apply(supervisor, f"[tasks.waits]\n{SLEEP}")
        task = await supervisor.crew["waits"].runner.wait_until(
            lambda task: task.state is not State.WAITING
        )
        assert task.state not in RESTING


async def test_a_change_that_cannot_be_made_changes_nothing(opened: Opened) -> None:
    bad = f'[tasks.new]\n{SLEEP}[tasks.bad]\n{SLEEP}log_file = "/proc/none/of/ours.log"\n'
    async with opened(STUBBORN) as supervisor:
        await supervisor.start([])
        with pytest.raises(InvalidValue):
            await apply(supervisor, bad)
        assert list(supervisor.crew) == list(supervisor.crew.config.tasks) == ["stubborn", "base"]
        assert all(supervisor.crew[name].task.alive for name in supervisor.crew)
        await apply(supervisor, bad.replace("/proc/none/of/", ""))
        assert list(supervisor.crew) == ["new", "bad"]
