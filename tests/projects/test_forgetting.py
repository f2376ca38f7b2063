from __future__ import annotations

from pathlib import Path

from anyio import create_task_group, wait_all_tasks_blocked

from taskmux import paths
from taskmux.projects import Projects
from taskmux.supervisor import Services
from tests.projects.conftest import Opened
from tests.projects.estate import write

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'


async def kept(projects: Projects, session: str) -> bool:
    """Return whether a project is there after it was to be forgotten if nobody needs it."""
    project = await projects.unregister(session, if_abandoned=True)
    return project in list(projects)


async def test_only_what_is_abandoned_is_forgotten(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, ear):
        for name in ("resting", "running"):
            project, _ = await projects.register(write(tmp_path / name, SLEEPER, name))
            if name == "running":
                await project.opened().start(["a"])
            assert await kept(projects, name)
            project.path.unlink()
            await ear.until("config_error", session=name)
        assert await kept(projects, "running")
        write(tmp_path / "resting", SLEEPER, "resting")
        # It is back, and nobody has noticed yet.
        assert projects.find("resting").state == "config_missing"
        assert await kept(projects, "resting")
        projects.find("resting").path.unlink()
        assert not await kept(projects, "resting")
        assert [project.session for project in projects] == ["running"]


async def test_nobody_registers_while_the_folders_of_no_project_are_looked_at(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    path, folder = write(tmp_path / "shop", SLEEPER), paths.project(services.home, "shop")
    folder.mkdir(parents=True)
    async with opened() as (projects, _), create_task_group() as group:
        async with projects.unregistered() as folders:
            assert folders == [folder]
            group.start_soon(projects.register, path)
            await wait_all_tasks_blocked()
            assert len(projects) == 0
        await projects.register(path)
        async with projects.unregistered() as folders:
            assert folders == []
