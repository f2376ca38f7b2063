"""A project whose folder is moved while its tasks run."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from taskmux import paths
from taskmux.errors import InvalidValue, NameTaken
from taskmux.processes import native
from taskmux.projects import Project
from taskmux.supervisor import Services
from tests.projects.conftest import Opened
from tests.projects.estate import write

TASKS = (
    '[tasks.a]\ncommand = "exec sleep 1000"\n[tasks.b]\ncommand = "exec sleep 1000"\ncwd = "/"\n'
)


def pids(project: Project) -> dict[str, int]:
    """Return the process of each task that has one."""
    members = project.opened().crew.members
    return {name: m.runner.life.pid for name, m in members.items() if m.runner.life is not None}


async def test_its_tasks_go_on_there_and_know_what_they_were_started_as(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    before, now = tmp_path / "here", tmp_path / "there"
    async with opened() as (projects, ear):
        shop, _ = await projects.register(write(before, TASKS))
        await shop.opened().start([])
        running = pids(shop)
        path = before.rename(now) / "taskmux.toml"
        assert await projects.register(path) == (shop, "moved")
        assert (shop.path, shop.state, pids(shop)) == (path, "ok", running)
        told = await ear.until("project_moved")
        assert (told["before"], told["path"]) == (str(before / "taskmux.toml"), str(path))
        # One of the two would start elsewhere now.
        news = ear.kinds("config_reloaded")[-1]
        assert (news["added"], news["removed"], news["restart_needed"]) == ([], [], ["a"])
        await shop.opened().restart(["a"])
        assert pids(shop)["b"] == running["b"]
        assert not shop.opened().crew["a"].runner.outdated
        write(now, TASKS + '[tasks.c]\ncommand = "exec sleep 1000"\n')
        assert (await ear.until("config_reloaded", added=["c"]))["session"] == "shop"
    assert native.look(running["b"]) is None
    assert json.loads(paths.registry(services.home).read_text()) == {"shop": str(path)}


async def test_what_changed_on_the_way_is_applied(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, ear):
        shop, _ = await projects.register(write(tmp_path / "here", TASKS))
        await shop.opened().start([])
        running = pids(shop)
        (tmp_path / "here").rename(tmp_path / "there")
        less = '[tasks.b]\ncommand = "exec sleep 1000"\ncwd = "/"\n[tasks.c]\ncommand = "true"\n'
        await projects.register(write(tmp_path / "there", less))
        assert pids(shop) == {"b": running["b"]}
        assert native.look(running["a"]) is None
        news = ear.kinds("config_reloaded")[-1]
        assert (news["added"], news["removed"], news["restart_needed"]) == (["c"], ["a"], [])


async def test_what_cannot_be_carried_out_there_leaves_it_where_it_was(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, ear):
        path = write(tmp_path / "here", TASKS)
        shop, _ = await projects.register(path)
        await shop.opened().start([])
        running = pids(shop)
        (tmp_path / "here").rename(tmp_path / "there")
        wrong = write(tmp_path / "there", TASKS + 'log_file = "/dev/null/b.log"\n')
        with pytest.raises(InvalidValue):
            await projects.register(wrong)
        assert (shop.path, shop.opened().crew.folder) == (path, path.parent)
        assert pids(shop) == running
        assert not ear.kinds("project_moved")
        right = write(tmp_path / "there", TASKS)
        assert await projects.register(right) == (shop, "moved")


async def test_a_second_checkout_does_not_get_the_tasks_of_the_first(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, _):
        shop, _ = await projects.register(write(tmp_path / "here", TASKS))
        await shop.opened().start([])
        running = pids(shop)
        second = write(tmp_path / "there", TASKS)
        with pytest.raises(NameTaken):
            await projects.register(second)
        assert pids(shop) == running
        other, action = await projects.register(second, force=True)
        assert (action, other is shop, pids(other)) == ("registered", False, {})
        assert [native.look(pid) for pid in running.values()] == [None, None]


async def test_a_log_in_the_folder_goes_on_in_the_file_that_moved(
    opened: Opened, tmp_path: Path
) -> None:
    talks = '[tasks.a]\nlog_file = "a.log"\ncommand = "echo one; read line; echo two; sleep 1000"\n'
    async with opened() as (projects, _):
        shop, _ = await projects.register(write(tmp_path / "here", talks))
        await shop.opened().start(["a"])
        path = (tmp_path / "here").rename(tmp_path / "there") / "taskmux.toml"
        await projects.register(path)
        member = shop.opened().crew["a"]
        assert member.runner.log.path == path.parent / "a.log"
        assert member.runner.life is not None
        heard = anyio.Event()
        member.runner.log.tap(lambda stamp, line: heard.set() if line.endswith(b"two") else None)
        await member.runner.life._terminal.write(b"\n")
        await heard.wait()
        await shop.opened().stop(["a"])
    said = [line.split(" ", 1)[-1] for line in (path.parent / "a.log").read_text().splitlines()]
    assert [line for line in said if not line.startswith("[taskmux]")] == ["one", "two"]
    assert not (tmp_path / "here").exists()
