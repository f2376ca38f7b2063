"""What happens to tasks and requests while a taskmux.toml takes the place of another."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest
from anyio import create_task_group, wait_all_tasks_blocked

from taskmux.errors import (
    InvalidValue,
    NotWritten,
    TaskmuxError,
    TaskNotFound,
)
from taskmux.lifecycle import State
from tests.projects.conftest import Opened
from tests.projects.estate import write

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'
RESTLESS = 'command = "exit 1"\nrestart_backoff = 0\nmax_restarts = 1000000\n'
SLOW = """
[tasks.slow]
command = "trap '' INT; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 0.5
"""


def open_logs(folder: Path) -> list[str]:
    """Return the files below it that we have open."""
    found = [os.path.realpath(entry) for entry in Path("/dev/fd").iterdir()]
    return [path for path in found if path.startswith(str(folder))]


def restless(needs: str = "") -> str:
    return "".join(f"[tasks.r{number}]\n{RESTLESS}{needs}" for number in range(20))


async def test_tasks_that_begin_meanwhile_find_all_of_it(opened: Opened, tmp_path: Path) -> None:
    new = [f"n{number}" for number in range(30)]
    tables = "".join(f'[tasks.{name}]\ncommand = "exec sleep 1000"\n' for name in new)
    async with opened() as (projects, _):
        project, _ = await projects.register(write(tmp_path / "shop", restless() + SLEEPER))
        await project.opened().start([], wait=False)
        write(tmp_path / "shop", restless(f"depends_on = {new}\n") + tables)
        await projects.reload(project)
        crew = project.opened().crew
        for number in range(20):
            await crew[f"r{number}"].runner.wait_until(lambda task: task.state is State.FAILED)
            assert "n0 will not become ready" in crew[f"r{number}"].task.reason
        assert "a" not in list(crew)


async def test_a_start_does_not_keep_a_task_that_is_removed(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, _), create_task_group() as group:
        project, _ = await projects.register(write(tmp_path / "shop", SLEEPER + SLOW))
        await project.opened().start(["slow"])
        runner = project.opened().crew["slow"].runner
        assert runner.life is not None
        pid = runner.life.pid
        write(tmp_path / "shop", SLEEPER)
        group.start_soon(projects.reload, project)
        await runner.wait_until(lambda task: task.state is State.STOPPING)
        with pytest.raises(TaskNotFound):
            await project.opened().start(["slow"])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_start_does_not_keep_a_project_that_ends(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, _), create_task_group() as group:
        project, _ = await projects.register(write(tmp_path / "shop", SLOW))
        supervisor = project.opened()
        await supervisor.start(["slow"])
        runner = supervisor.crew["slow"].runner
        group.start_soon(projects.unregister, "shop")
        await runner.wait_until(lambda task: task.state is State.STOPPING)
        [report] = await supervisor.start(["slow"])
        assert (report.ok, report.error_code) == (False, "E217")
    assert list(projects) == []


async def test_half_a_file_ends_no_task(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskmux.projects.project.PAUSE", 1.0)
    path = write(tmp_path / "shop", SLEEPER + SLOW)
    async with opened() as (projects, ear), create_task_group() as group:
        project, _ = await projects.register(path)
        await project.opened().start([])
        lives = [project.opened().crew[name].runner.life for name in ("a", "slow")]
        with path.open("w") as file:
            file.write(f'name = "shop"\n{SLEEPER}')
            file.flush()
            group.start_soon(projects.reload, project)
            await wait_all_tasks_blocked()
            file.write(SLOW.replace("0.5", "0.6"))
        news = await ear.until("config_reloaded")
        assert (news["removed"], news["restart_needed"]) == ([], ["slow"])
        assert [project.opened().crew[name].runner.life for name in ("a", "slow")] == lives


async def test_an_empty_file_ends_no_task(opened: Opened, tmp_path: Path) -> None:
    path = write(tmp_path / "shop", SLEEPER)
    text = path.read_text()
    async with opened() as (projects, ear):
        project, _ = await projects.register(path)
        await project.opened().start([])
        path.write_text("\n")
        assert (await ear.until("config_error"))["error_code"] == "E108"
        assert project.opened().crew["a"].task.state is State.RUNNING
        path.write_text(text)
        await projects.reload(project)
        assert project.state == "ok"
        path.write_text('name = "shop"\n')
        assert (await ear.until("config_reloaded"))["removed"] == ["a"]


async def test_who_goes_away_leaves_no_half_of_it(opened: Opened, tmp_path: Path) -> None:
    async with opened() as (projects, _):
        project, _ = await projects.register(write(tmp_path / "shop", SLEEPER + SLOW))
        await project.opened().start([])
        slow = project.opened().crew.members["slow"]
        write(tmp_path / "shop", SLEEPER)
        async with create_task_group() as group:
            group.start_soon(projects.reload, project)
            await slow.runner.wait_until(lambda task: task.state is State.STOPPING)
            group.cancel_scope.cancel()
        await slow.gone.wait()
        async with project.lock:
            assert list(project.opened().crew) == ["a"]


async def test_a_project_that_ends_leaves_no_file_open(opened: Opened, tmp_path: Path) -> None:
    path = write(tmp_path / "shop", SLEEPER + SLOW)
    seen: list[list[str]] = []
    async with opened() as (projects, _):
        for _ in range(3):
            project, _ = await projects.register(path)
            await project.opened().start([])
            await projects.unregister("shop")
            await wait_all_tasks_blocked()
            seen.append(open_logs(tmp_path))
    assert seen == [[], [], []]


async def test_a_log_goes_where_the_file_says_at_once(opened: Opened, tmp_path: Path) -> None:
    talks = '[tasks.a]\ncommand = "echo one; read line; echo two; exec sleep 1000"\n'
    elsewhere = tmp_path / "shop" / "a.out"
    async with opened() as (projects, _):
        project, _ = await projects.register(write(tmp_path / "shop", talks))
        await project.opened().start(["a"])
        runner = project.opened().crew["a"].runner
        assert runner.life is not None
        pid, before = runner.life.pid, runner.log.path
        write(tmp_path / "shop", f'{talks}log_file = "a.out"\nlog_max_files = 1\n')
        assert await projects.reload(project) == (project, [])
        heard = anyio.Event()
        runner.log.tap(lambda stamp, line: heard.set() if line == b"two" else None)
        await runner.life._terminal.write(b"\n")
        await heard.wait()
        assert runner.life.pid == pid
    assert [b"one" in before.read_bytes(), b"two" in before.read_bytes()] == [True, False]
    assert [b"one" in elsewhere.read_bytes(), b"two" in elsewhere.read_bytes()] == [False, True]


@pytest.mark.parametrize(
    "field", ['health_probe = "nope"', 'log_file = "/dev/null/no.log"'], ids=["probe", "log"]
)
async def test_what_cannot_be_carried_out_is_not_written(
    opened: Opened, tmp_path: Path, field: str
) -> None:
    path = write(tmp_path / "shop", SLEEPER)
    before = path.read_text()
    async with opened() as (projects, _):
        project, _ = await projects.register(path)
        with pytest.raises(TaskmuxError) as caught:
            await projects.edit(project, lambda text: f'{text}[tasks.b]\ncommand = "b"\n{field}\n')
        assert isinstance(caught.value, InvalidValue) or caught.value.code == "E701"
        assert path.read_text() == before
        assert list(project.opened().crew) == ["a"]
        assert project.error is None


async def test_a_file_that_cannot_be_replaced_stays_as_it_is(
    opened: Opened, tmp_path: Path
) -> None:
    path = write(tmp_path / "shop", SLEEPER)
    path.with_name(".taskmux.toml.taskmux-new").mkdir()
    before = path.read_text()
    async with opened() as (projects, _):
        project, _ = await projects.register(path)
        with pytest.raises(NotWritten, match="Is a directory"):
            await projects.edit(project, lambda text: text + SLOW)
        assert path.read_text() == before
        with anyio.fail_after(30):
            await project.opened().start(["a"])
