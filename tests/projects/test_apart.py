"""What one project goes through is nothing to the others, or to the end of them all."""

from __future__ import annotations

from pathlib import Path

import anyio
from anyio.lowlevel import checkpoint

from taskmux.lifecycle import State
from taskmux.projects import Project, Projects
from taskmux.runner import Runner
from tests.projects.conftest import Opened
from tests.projects.estate import write

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'
STUBBORN = """
[tasks.stubborn]
command = "trap '' INT TERM; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 1
"""


async def begun(projects: Projects, top: Path) -> tuple[Runner, Project]:
    """Return a stubborn task that runs in the project `shop`, and the project `blog`."""
    shop, _ = await projects.register(write(top / "shop", STUBBORN))
    blog, _ = await projects.register(write(top / "blog", SLEEPER, "blog"))
    await shop.opened().start(["stubborn"])
    return shop.opened().crew["stubborn"].runner, blog


async def test_a_change_that_takes_long_keeps_no_other_project_waiting(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, ear):
        stubborn, blog = await begun(projects, tmp_path)
        write(tmp_path / "shop", SLEEPER)
        await stubborn.wait_until(lambda task: task.state is State.STOPPING)
        write(tmp_path / "blog", SLEEPER + '[tasks.b]\ncommand = "true"\n', "blog")
        await ear.until("config_reloaded", session="blog")
        assert stubborn.task.state is State.STOPPING
        assert list(blog.opened().crew) == ["a", "b"]


async def test_a_file_edited_while_all_is_being_ended_begins_nothing_anew(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, _):
        stubborn, blog = await begun(projects, tmp_path)
        async with anyio.create_task_group() as group:
            group.start_soon(projects.close)
            await stubborn.wait_until(lambda task: task.state is State.STOPPING)
            while blog.supervisor is not None:
                await checkpoint()
            write(tmp_path / "blog", SLEEPER + '[tasks.b]\ncommand = "true"\n', "blog")
        assert [project.supervisor for project in projects] == [None, None]


async def test_a_project_registered_while_all_is_being_ended_ends_too(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, _):
        shop, _ = await projects.register(write(tmp_path / "shop", STUBBORN))
        stubborn = shop.opened().crew["stubborn"].runner
        await shop.opened().start(["stubborn"])
        async with anyio.create_task_group() as group:
            group.start_soon(projects.close)
            await stubborn.wait_until(lambda task: task.state is State.STOPPING)
            late, _ = await projects.register(write(tmp_path / "blog", SLEEPER, "blog"))
        assert late.supervisor is None
