from __future__ import annotations

import json
import os
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from taskmux import paths
from taskmux.errors import (
    BadRequest,
    DependsOnItself,
    InvalidValue,
    NameTaken,
    NoConfig,
    NothingLeft,
    NotRegistered,
    UnknownSession,
)
from taskmux.lifecycle import State
from taskmux.projects import CarriedProjects, Project, Projects
from taskmux.store import Memory, ProjectMemory
from taskmux.supervisor import Services
from tests.projects.conftest import Opened
from tests.projects.estate import Survivor, no_more_files, write

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'
SLOW = """
[tasks.slow]
command = "trap '' INT; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 0.5
"""


def pid_of(project: Project, task: str = "a") -> int:
    life = project.opened().crew[task].runner.life
    assert life is not None
    return life.pid


def states(project: Project) -> dict[str, State]:
    crew = project.opened().crew
    return {name: crew[name].task.state for name in crew}


def registry(services: Services) -> dict[str, str]:
    found = json.loads(paths.registry(services.home).read_text())
    assert isinstance(found, dict)
    return found


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def set_aside(services: Services) -> str:
    [file] = services.home.glob("registry.json.corrupt-*")
    return file.read_text()


async def test_two_projects_are_apart(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, _):
        shop, _ = await projects.register(write(tmp_path / "shop", SLEEPER))
        blog, _ = await projects.register(write(tmp_path / "blog", SLEEPER, "blog"))
        await shop.opened().start(["a"])
        await blog.opened().start(["a"])
        assert shop.opened().crew["a"].port != blog.opened().crew["a"].port
        assert pid_of(shop) != pid_of(blog)
        await shop.opened().stop(["a"])
        assert (states(shop)["a"], states(blog)["a"]) == (State.STOPPED, State.RUNNING)
        assert projects.find("shop") is shop
        assert await projects.resolve(None, str(blog.path)) is blog
        with pytest.raises(BadRequest):
            projects.only()
        with pytest.raises(UnknownSession):
            projects.find("shopp")


async def test_a_second_folder_with_the_same_name_is_refused(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    first, second = (write(tmp_path / folder, SLEEPER) for folder in ("one", "two"))
    async with opened() as (projects, _):
        shop, action = await projects.register(first)
        assert action == "registered"
        assert await projects.register(first) == (shop, "already_registered")
        await shop.opened().start(["a"])
        with pytest.raises(NameTaken) as caught:
            await projects.register(second)
        assert caught.value.facts == {
            "session": "shop", "path": str(second), "other": str(first),
        }  # fmt: skip
        assert states(shop)["a"] is State.RUNNING
        assert registry(services) == {"shop": str(first)}


async def test_by_force_the_second_takes_its_place_and_the_first_ends(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    first, second = (write(tmp_path / folder, SLEEPER) for folder in ("one", "two"))
    async with opened() as (projects, _):
        shop, _ = await projects.register(first)
        await shop.opened().start(["a"])
        pid = pid_of(shop)
        taken, action = await projects.register(second, force=True)
        assert action == "registered"
        assert projects.only() is taken
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert registry(services) == {"shop": str(second)}


async def test_two_who_register_the_same_at_once_get_the_same(
    opened: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", SLEEPER)
    found: list[tuple[Project, str]] = []
    async with opened() as (projects, _):

        async def register() -> None:
            found.append(await projects.register(path))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(register)
        assert sorted(action for _, action in found) == ["already_registered"] * 4 + ["registered"]
        assert {id(project) for project, _ in found} == {id(projects.only())}


async def test_an_unregistered_project_is_ended_and_forgotten(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    async with opened() as (projects, _):
        shop, _ = await projects.register(write(tmp_path / "shop", SLEEPER))
        await shop.opened().start(["a"])
        pid = pid_of(shop)
        await projects.unregister("shop")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert (len(projects), registry(services)) == (0, {})
        assert services.store.project("shop").tasks == {}
        assert paths.log(services.home, "shop", "a").exists()
        with pytest.raises(NotRegistered):
            await projects.unregister("shop")


async def test_who_asks_to_forget_and_goes_away_leaves_nothing_half_done(
    opened: Opened, tmp_path: Path
) -> None:
    async with opened() as (projects, ear):
        shop, _ = await projects.register(write(tmp_path / "shop", SLOW))
        await shop.opened().start(["slow"])
        with anyio.CancelScope() as impatient:
            async with anyio.create_task_group() as group:
                group.start_soon(projects.unregister, "shop")
                await (
                    shop.opened()
                    .crew["slow"]
                    .runner.wait_until(lambda task: task.state is State.STOPPING)
                )
                impatient.cancel()
        await ear.until("task_stopped")
        again, action = await projects.register(shop.path)
        assert action == "registered"
        assert again.opened().crew["slow"].task.state is State.STOPPED


async def test_projects_and_what_ran_come_back_with_the_next_daemon(
    opened: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", SLEEPER + '[tasks.b]\ncommand = "exec sleep 1000"\n')
    async with opened() as (projects, _):
        shop, _ = await projects.register(path)
        await shop.opened().start(["a", "b"])
        await shop.opened().stop(["b"])
        await projects.close(resume=True)
    async with opened() as (projects, _):
        runner = projects.only().opened().crew["a"].runner
        assert (await runner.wait_until(lambda task: task.alive)).wanted
        assert states(projects.only())["b"] is State.STOPPED


async def test_an_edited_file_is_followed(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    path = write(folder, SLEEPER + '[tasks.b]\ncommand = "exec sleep 1000"\n')
    async with opened() as (projects, ear):
        shop, _ = await projects.register(path)
        await shop.opened().start(["a", "b"])
        pid = pid_of(shop, "b")
        write(folder, SLEEPER.replace("1000", "2000") + '[tasks.c]\ncommand = "true"\n')
        news = await ear.until("config_reloaded")
        assert (news["added"], news["removed"], news["restart_needed"]) == (["c"], ["b"], ["a"])
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert list(shop.opened().crew) == ["a", "c"]
        assert states(shop)["a"] is State.RUNNING


async def test_an_editor_that_saves_by_renaming_is_followed_again_and_again(
    opened: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    async with opened() as (projects, ear):
        await projects.register(write(folder, SLEEPER))
        for name in ("b", "c", "d"):
            beside = folder / "new.toml"
            beside.write_text(f'name = "shop"\n[tasks.{name}]\ncommand = "true"\n')
            beside.rename(folder / "taskmux.toml")
            await ear.until("config_reloaded", added=[name])


async def test_a_broken_file_changes_nothing_that_runs(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    async with opened() as (projects, ear):
        shop, _ = await projects.register(write(folder, SLEEPER))
        await shop.opened().start(["a"])
        pid = pid_of(shop)
        write(folder, "[tasks.a\n")
        error = await ear.until("config_error")
        assert (error["error_code"], shop.state) == ("E101", "error")
        assert (pid_of(shop), states(shop)) == (pid, {"a": State.RUNNING})
        await shop.opened().stop(["a"])
        await shop.opened().start(["a"])
        write(folder, "[tasks.a]\ncomand = 'true'\n")
        await ear.until("config_error", error_code="E102")
        write(folder, SLEEPER + '[tasks.b]\ncommand = "true"\n')
        assert (await ear.until("config_reloaded"))["added"] == ["b"]
        assert (shop.state, shop.error) == ("ok", None)


async def test_what_shows_only_when_it_is_carried_out_is_an_error_like_others(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    bad = SLEEPER + 'log_file = "/proc/none/of/ours.log"\n'
    path = write(tmp_path / "shop", bad)
    other = write(tmp_path / "blog", SLEEPER, "blog")
    services.store.save_registry({"shop": str(path), "blog": str(other)})
    async with opened() as (projects, ear):
        shop = projects.find("shop")
        assert (shop.state, projects.find("blog").state) == ("error", "ok")
        with pytest.raises(InvalidValue, match="log_file"):
            shop.opened()
        write(path.parent, SLEEPER)
        assert (await ear.until("config_reloaded"))["added"] == ["a"]
        await projects.find("shop").opened().start(["a"])


async def test_a_refused_edit_leaves_nothing_open(opened: Opened, tmp_path: Path) -> None:
    path = write(tmp_path / "shop", SLEEPER)
    more = '[tasks.b]\ncommand = "true"\n[tasks.c]\ncommand = "true"\n'
    async with opened() as (projects, _):
        shop, _ = await projects.register(path)
        before = open_files()
        for number in range(10):
            write(path.parent, f'{SLEEPER}{more}log_file = "/proc/none/{number}.log"\n')
            with pytest.raises(InvalidValue, match="log_file"):
                await shop.reload()
        assert open_files() < before + 5


async def test_a_folder_that_is_gone_stops_nothing_and_is_noticed_when_it_is_back(
    opened: Opened, tmp_path: Path
) -> None:
    folder, away = tmp_path / "deep" / "shop", tmp_path / "away"
    path = write(folder, SLEEPER)
    async with opened() as (projects, ear):
        shop, _ = await projects.register(path)
        await shop.opened().start(["a"])
        folder.parent.rename(away)
        error = await ear.until("config_error")
        assert (error["error_code"], shop.state) == ("E100", "config_missing")
        assert states(shop) == {"a": State.RUNNING}
        with pytest.raises(NoConfig):
            await projects.reload(shop)
        write(folder, SLEEPER + '[tasks.b]\ncommand = "true"\n')
        assert (await ear.until("config_reloaded"))["added"] == ["b"]
        assert shop.state == "ok"


async def test_a_project_whose_file_is_missing_waits_for_it(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    path = tmp_path / "nowhere" / "shop" / "taskmux.toml"
    services.store.save_registry({"shop": str(path)})
    async with opened() as (projects, ear):
        assert projects.only().state == "config_missing"
        with pytest.raises(NoConfig):
            projects.only().opened()
        with pytest.raises(NoConfig):
            await projects.reload(projects.only())
        write(path.parent, SLEEPER)
        assert (await ear.until("config_reloaded"))["added"] == ["a"]
        await projects.only().opened().start(["a"])
        assert registry(services) == {"shop": str(path)}


@pytest.mark.parametrize("content", [None, "[tasks.a"])
async def test_what_a_dead_daemon_left_is_ended_though_its_file_cannot_be_used(
    opened: Opened, services: Services, tmp_path: Path, content: str | None
) -> None:
    survivor = Survivor("the-run-before")
    try:
        path = tmp_path / "shop" / "taskmux.toml"
        if content is not None:
            write(path.parent, content)
        services.store.save_registry({"shop": str(path)})
        memory = Memory(state="running", wanted=True, run=3, child=survivor.child)
        services.store.save_project("shop", ProjectMemory({"a": memory}))
        async with opened() as (projects, ear):
            assert survivor.process.poll() == -9
            write(path.parent, SLEEPER)
            await ear.until("task_started", task="a", run=4)
            assert projects.only().state == "ok"
    finally:
        survivor.end()


async def until_portable(projects: Projects) -> None:
    while not projects.portable:
        await projects.settle()
        await checkpoint()


async def test_projects_are_not_portable_while_one_is_opened_again(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    path = tmp_path / "shop" / "taskmux.toml"
    services.store.save_registry({"shop": str(path)})
    async with opened() as (projects, ear):
        found: list[bool] = []
        await until_portable(projects)  # its missing file is looked for
        services.bus.listen(lambda event: found.append(projects.portable))
        write(tmp_path / "beside", SLEEPER)
        (tmp_path / "beside").rename(path.parent)  # whole at once, so that it is opened once
        await ear.until("config_reloaded")
        assert found == [False] * len(ear.heard)
        await until_portable(projects)


async def test_a_missing_file_that_is_back_can_be_read_by_hand(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    path = tmp_path / "shop" / "taskmux.toml"
    services.store.save_registry({"shop": str(path)})
    async with opened() as (projects, _):
        missing = projects.only()
        write(path.parent, SLEEPER)
        fresh, _ = await projects.reload(missing)
        assert list(fresh.opened().crew) == ["a"]
        assert (await projects.reload(missing))[0] is projects.only() is fresh


async def test_a_change_before_anybody_watches_is_found(opened: Opened, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c", "d")]
    async with opened() as (projects, ear):
        for folder in folders:
            # Each registration has the watching begin anew.
            await projects.register(write(folder, SLEEPER, folder.name))
            write(folder, SLEEPER + '[tasks.more]\ncommand = "true"\n', folder.name)
        for folder in folders:
            await ear.until("config_reloaded", session=folder.name)


async def test_a_project_that_ends_while_its_file_changes_takes_nothing_along(
    opened: Opened, tmp_path: Path
) -> None:
    folder = tmp_path / "shop"
    other = write(tmp_path / "blog", SLEEPER, "blog")
    async with opened() as (projects, ear):
        shop, _ = await projects.register(write(folder, SLOW))
        blog, _ = await projects.register(other)
        await shop.opened().start(["slow"])
        write(folder, SLEEPER)  # the slow one is dismissed, and another hired after it
        await (
            shop.opened().crew["slow"].runner.wait_until(lambda task: task.state is State.STOPPING)
        )
        await projects.unregister("shop")
        await blog.opened().start(["a"])
        write(other.parent, SLEEPER + '[tasks.b]\ncommand = "true"\n', "blog")
        await ear.until("config_reloaded", session="blog")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"shop": 1}', "\0" * 100])
async def test_a_damaged_registry_is_set_aside_and_begun_anew(
    opened: Opened, services: Services, tmp_path: Path, content: str
) -> None:
    file = paths.registry(services.home)
    services.store.save_registry({})
    file.write_text(content)
    heard: list[dict[str, object]] = []
    services.bus.listen(heard.append)
    async with opened() as (projects, _):
        assert len(projects) == 0
        [damage] = [event for event in heard if event["event"] == "state_damaged"]
        aside = str(damage["path"])
        path = write(tmp_path / "shop", SLEEPER)
        await projects.register(path)
    assert registry(services) == {"shop": str(path)}
    assert Path(aside).name.startswith("registry.json.corrupt-")
    assert set_aside(services) == content


async def test_a_registry_that_cannot_be_read_now_is_an_error_in_words_and_kept(
    services: Services,
) -> None:
    services.store.save_registry({"shop": "/shop/taskmux.toml"})
    with no_more_files(), pytest.raises(NothingLeft, match="may not open more files"):
        services.store.registry()
    assert services.store.registry() == {"shop": "/shop/taskmux.toml"}


async def test_a_registry_that_cannot_be_written_costs_only_that(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    paths.registry(services.home).mkdir(parents=True)
    (paths.registry(services.home) / "occupied").touch()
    async with opened() as (projects, ear):
        paths.registry(services.home).mkdir(exist_ok=True)
        (paths.registry(services.home) / "occupied").touch()
        shop, _ = await projects.register(write(tmp_path / "shop", SLEEPER))
        assert ear.kinds("state_not_saved")
        await shop.opened().start(["a"])


async def test_what_is_carried_says_what_is_registered_and_is_saved(
    services: Services, tmp_path: Path
) -> None:
    # One could not be written down, and that another is forgotten could not be either.
    path = write(tmp_path / "shop", SLEEPER)
    services.store.save_registry({"gone": str(tmp_path / "gone" / "taskmux.toml")})
    with anyio.fail_after(50):
        carried = CarriedProjects({"shop": str(path)}, {})
        async with Projects.open(services, carried) as projects:
            assert [project.path for project in projects] == [path]
            assert projects.carry().paths == carried.paths
            assert registry(services) == carried.paths


async def test_an_edit_of_ours_is_refused_before_it_is_written(
    opened: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", SLEEPER)
    before = path.read_text()
    async with opened() as (projects, _):
        shop, _ = await projects.register(path)
        with pytest.raises(DependsOnItself):
            await shop.edit(lambda text: text + 'depends_on = ["a"]\n')
        assert path.read_text() == before
        await shop.edit(lambda text: text + '[tasks.b]\ncommand = "true"\n')
        assert list(shop.opened().crew) == ["a", "b"]
