"""A project whose taskmux.toml gives it another name."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from taskmux import paths
from taskmux.errors import NameTaken, UnknownSession
from taskmux.supervisor import Services
from tests.projects.conftest import Opened
from tests.projects.estate import write

TALKS = '[tasks.a]\ncommand = "printf one; read line; echo two; exec sleep 1000"\n'


async def test_its_tasks_logs_and_ports_go_on_by_that_name(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", TALKS)
    async with opened() as (projects, ear):
        project, _ = await projects.register(path)
        await project.opened().start(["a"])
        member = project.opened().crew["a"]
        life, port = member.runner.life, member.port
        assert life is not None
        write(path.parent, TALKS, "store")
        assert (await ear.until("project_renamed"))["before"] == "shop"
        await projects.reload(project)
        assert projects.find("store") is project
        with pytest.raises(UnknownSession):
            projects.find("shop")
        assert (member.runner.life, member.port) == (life, port)
        assert services.ports.wish("store/a") == port
        heard = anyio.Event()
        member.runner.log.tap(lambda stamp, line: heard.set() if line.endswith(b"two") else None)
        await life._terminal.write(b"\n")
        await heard.wait()
        assert (await ear.until("task_ready"))["session"] == "shop"
        [report] = await project.opened().restart(["a"])
        assert report.state == "running"
        assert life.outfit.environ["TASKMUX_SESSION"] == "shop"
        assert ear.kinds("task_restarted")[-1]["session"] == "store"
        project.opened().remember()
        assert services.store.project("store").tasks["a"].run == 2
    assert not paths.project(services.home, "shop").exists()
    log = paths.log(services.home, "store", "a").read_text()
    assert "one" in log
    assert "two" in log
    assert json.loads(paths.registry(services.home).read_text()) == {"store": str(path)}


async def test_a_name_that_another_has_is_an_error_and_it_goes_on(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, ear):
        shop, _ = await projects.register(write(tmp_path / "shop", TALKS))
        blog, _ = await projects.register(write(tmp_path / "blog", TALKS, "blog"))
        await shop.opened().start(["a"])
        write(tmp_path / "shop", TALKS, "blog")
        assert (await ear.until("config_error"))["error_code"] == "E305"
        with pytest.raises(NameTaken):
            await projects.reload(shop)
        assert (projects.find("shop"), projects.find("blog")) == (shop, blog)
        assert shop.opened().crew["a"].task.alive
        await projects.unregister("blog")
        assert (await projects.reload(shop))[0] is projects.find("blog")
        assert shop.error is None


async def test_one_renamed_while_there_was_no_daemon_has_its_new_name_soon(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    async with opened() as (projects, _):
        project, _ = await projects.register(write(tmp_path / "shop", TALKS))
        await project.opened().start(["a"])
        await projects.close(resume=True)
    write(tmp_path / "shop", TALKS, "store")
    stale = paths.project(services.home, "store")
    stale.mkdir()
    async with opened() as (projects, ear):
        if "store" not in [project.session for project in projects]:
            await ear.until("project_renamed")
        assert projects.only().session == "store"
        assert projects.only().opened().crew["a"].run == 2
    assert len(list(stale.parent.glob("store.corrupt-*"))) == 1
