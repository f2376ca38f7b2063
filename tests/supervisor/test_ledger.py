from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import create_task_group

from taskmux import paths
from taskmux.lifecycle import RESTING, State, Stop, Task
from taskmux.processes import boot_id
from taskmux.store import Child, Memory, ProjectMemory
from taskmux.supervisor import Services, Supervisor, failure
from tests.projects.estate import Ear, Survivor, no_more_files
from tests.supervisor.conftest import Opened

PAIR = '[tasks.a]\ncommand = "exec sleep 1000"\n[tasks.b]\ncommand = "exec sleep 1000"\n'
CHAIN = """
[tasks.db]
command = "exec sleep 1000"
[tasks.web]
command = "exec sleep 1000"
depends_on = ["db"]
"""


def states(supervisor: Supervisor) -> dict[str, State]:
    return {name: supervisor.crew[name].task.state for name in supervisor.crew}


async def until(supervisor: Supervisor, name: str, *wanted: State) -> Task:
    return await supervisor.crew[name].runner.wait_until(lambda task: task.state in wanted)


async def crash(supervisor: Supervisor, services: Services) -> ProjectMemory:
    """Return what is on disk now; written back later, it is as if the daemon had died here."""
    supervisor.remember()
    return services.store.project("shop")


async def test_after_a_crash_what_was_wanted_comes_back_and_what_was_stopped_does_not(
    opened: Opened, services: Services
) -> None:
    async with opened(PAIR) as supervisor:
        await supervisor.start([])
        await supervisor.stop(["b"])
        before = await crash(supervisor, services)
        port = supervisor.crew["a"].port
    services.store.save_project("shop", before)
    async with opened(PAIR) as supervisor:
        await until(supervisor, "a", State.RUNNING)
        assert supervisor.crew["b"].task.state is State.STOPPED
        assert (supervisor.crew["a"].run, supervisor.crew["a"].port) == (2, port)
        assert supervisor.crew["b"].task.reason == "stopped on request"


async def test_a_clean_end_forgets_what_ran(opened: Opened) -> None:
    async with opened(PAIR) as supervisor:
        await supervisor.start([])
    async with opened(PAIR) as supervisor:
        assert states(supervisor) == {"a": State.STOPPED, "b": State.STOPPED}


async def test_an_end_with_resume_does_not(opened: Opened) -> None:
    tables = PAIR + '[tasks.once]\ncommand = "true"\ntype = "oneshot"\n'
    async with opened(tables) as supervisor:
        await supervisor.start([])
        await supervisor.stop(["b"])
        await supervisor.shut_down(resume=True)
        assert states(supervisor)["a"] is State.STOPPED
    async with opened(tables) as supervisor:
        await until(supervisor, "a", State.RUNNING)
        assert states(supervisor) == {
            "a": State.RUNNING, "b": State.STOPPED, "once": State.COMPLETED,
        }  # fmt: skip


async def test_what_comes_back_has_the_environment_it_was_started_with(
    opened: Opened, services: Services
) -> None:
    async with opened(PAIR) as supervisor:
        await supervisor.start(["a"], {"PATH": os.environ["PATH"], "SHELL_HAS": "this"})
        before = await crash(supervisor, services)
    services.store.save_project("shop", before)
    async with opened(PAIR) as supervisor:
        await until(supervisor, "a", State.RUNNING)
        life = supervisor.crew["a"].runner.life
        assert life is not None
        assert life.outfit.environ["SHELL_HAS"] == "this"


async def test_a_task_comes_back_although_what_it_needs_was_stopped_by_hand(
    opened: Opened, services: Services
) -> None:
    async with opened(CHAIN) as supervisor:
        await supervisor.start(["web"])
        await supervisor.stop(["db"])
        assert states(supervisor) == {"db": State.STOPPED, "web": State.RUNNING}
        before = await crash(supervisor, services)
    services.store.save_project("shop", before)
    async with opened(CHAIN) as supervisor:
        await until(supervisor, "web", State.RUNNING, *RESTING)
        assert states(supervisor) == {"db": State.STOPPED, "web": State.RUNNING}
        # Only this once: whoever asks for it now gets what it needs, too.
        await supervisor.stop(["web"])
        await supervisor.start(["web"])
        assert states(supervisor) == {"db": State.RUNNING, "web": State.RUNNING}


async def test_a_dependency_that_comes_back_is_waited_for(
    opened: Opened, services: Services
) -> None:
    tables = CHAIN.replace('"exec sleep 1000"', '"test ! -e broken && exec sleep 1000"', 1)
    tables = tables.replace("[tasks.web]", 'restart_policy = "no"\n[tasks.web]')
    async with opened(tables) as supervisor:
        await supervisor.start(["web"])
        before = await crash(supervisor, services)
        (supervisor.crew.folder / "broken").touch()
    services.store.save_project("shop", before)
    async with opened(tables) as supervisor:
        web = await until(supervisor, "web", *RESTING)
        assert (web.state, states(supervisor)["db"]) == (State.FAILED, State.FAILED)
        assert failure("web", supervisor.crew["web"].runner).code == "E214"


async def test_the_next_crash_of_such_a_task_is_like_any_other(
    opened: Opened, services: Services
) -> None:
    async with opened(CHAIN) as supervisor:
        await supervisor.start(["web"])
        await supervisor.stop(["db"])
        before = await crash(supervisor, services)
    services.store.save_project("shop", before)
    async with opened(CHAIN) as supervisor:
        await until(supervisor, "web", State.RUNNING)
        life = supervisor.crew["web"].runner.life
        assert life is not None
        os.kill(life.pid, 9)
        await until(supervisor, "web", *RESTING)
        assert failure("web", supervisor.crew["web"].runner).code == "E214"


STUBBORN = """
[tasks.a]
command = "trap '' INT TERM; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 1000
"""


async def test_a_crash_within_a_restart_does_not_stop_the_task(
    opened: Opened, services: Services
) -> None:
    async with opened(STUBBORN) as supervisor, create_task_group() as group:
        await supervisor.start(["a"])
        group.start_soon(supervisor.restart, ["a"])
        await until(supervisor, "a", State.STOPPING)
        memory = (await crash(supervisor, services)).tasks["a"]
        assert (memory.state, memory.wanted) == ("running", True)
        # The newer wish counts: who stops it meanwhile has stopped it.
        await supervisor.stop(["a"], kill=True)
        memory = (await crash(supervisor, services)).tasks["a"]
        assert (memory.state, memory.wanted) == ("stopped", False)


async def test_an_end_with_resume_within_a_restart_does_not_either(opened: Opened) -> None:
    async with opened(STUBBORN) as supervisor, create_task_group() as group:
        await supervisor.start(["a"])
        group.start_soon(supervisor.restart, ["a"])
        await until(supervisor, "a", State.STOPPING)
        life = supervisor.crew["a"].runner.life
        assert life is not None
        os.kill(life.pid, 9)
        await supervisor.shut_down(resume=True)
    async with opened(STUBBORN) as supervisor:
        await until(supervisor, "a", State.RUNNING)
        await supervisor.stop(["a"], kill=True)


@pytest.fixture
def survivor() -> Iterator[Survivor]:
    survivor = Survivor("the-run-before")
    yield survivor
    survivor.end()


def remembered(child: Child, **facts: Any) -> ProjectMemory:
    return ProjectMemory({"a": Memory(child=child, run=3, **facts)})


@pytest.mark.parametrize("state", ["running", "stopping", "stopped"])
async def test_what_a_dead_daemon_left_running_is_ended(
    opened: Opened, services: Services, survivor: Survivor, state: str
) -> None:
    wanted = state == "running"
    memory = remembered(survivor.child, state=state, wanted=wanted)
    services.store.save_project("shop", memory)
    async with opened(PAIR) as supervisor:
        assert survivor.process.poll() == -9
        if wanted:
            await until(supervisor, "a", State.RUNNING)
        assert supervisor.crew["a"].task.alive == wanted
        assert supervisor.crew["a"].run == (4 if wanted else 3)


async def test_what_is_left_of_a_removed_task_is_ended_too(
    opened: Opened, services: Services, survivor: Survivor
) -> None:
    services.store.save_project("shop", remembered(survivor.child, state="running", wanted=True))
    async with opened('[tasks.b]\ncommand = "exec sleep 1000"\n') as supervisor:
        assert survivor.process.poll() == -9
        assert states(supervisor) == {"b": State.STOPPED}


@pytest.mark.parametrize(
    "fact", ["started", "boot"], ids=["the number was used again", "of another boot"]
)
async def test_a_stranger_with_the_same_number_is_left_alone(
    opened: Opened, services: Services, fact: str
) -> None:
    stranger = Survivor("somebody-else")
    try:
        facts: dict[str, Any] = {
            "pid": stranger.child.pid,
            "started": stranger.child.started,
            "boot": stranger.child.boot,
            "run_id": "the-run-before",
        }
        facts[fact] = stranger.child.started - 1 if fact == "started" else "another"
        services.store.save_project(
            "shop", remembered(Child(**facts), state="running", wanted=True)
        )
        async with opened(PAIR) as supervisor:
            await until(supervisor, "a", State.RUNNING)
            assert stranger.process.poll() is None
        assert stranger.process.poll() is None
    finally:
        stranger.end()


async def test_what_is_asked_is_on_disk_before_it_is_answered(
    opened: Opened, services: Services
) -> None:
    async with opened(PAIR) as supervisor:
        await supervisor.start(["a"])
        supervisor.remember()
        memory = services.store.project("shop").tasks["a"]
        life = supervisor.crew["a"].runner.life
        assert life is not None
        assert (memory.state, memory.wanted, memory.run) == ("running", True, 1)
        assert memory.child == Child(life.pid, life.child.started, boot_id(), life.outfit.run_id)
        await supervisor.stop(["a"])
        supervisor.remember()
        memory = services.store.project("shop").tasks["a"]
        assert (memory.state, memory.wanted, memory.child) == ("stopped", False, None)


async def test_what_happens_by_itself_is_written_soon(opened: Opened, services: Services) -> None:
    async with opened('[tasks.a]\ncommand = "read line; exit 3"\n') as supervisor:
        await supervisor.start(["a"])
        supervisor.crew["a"].runner.ask(Stop(kill=True))
        await until(supervisor, "a", State.STOPPED)
        with anyio.fail_after(20):
            while services.store.project("shop").tasks["a"].state != "stopped":
                await anyio.lowlevel.checkpoint()


async def test_a_memory_that_cannot_be_written_is_told_and_costs_nothing_else(
    opened: Opened, services: Services
) -> None:
    ear = Ear(services.bus)
    async with opened(PAIR) as supervisor:
        place = paths.project(services.home, "shop") / "state.json"
        block(place)
        await supervisor.start(["a"])
        supervisor.remember()
        assert (await ear.until("state_not_saved"))["session"] == "shop"
        assert states(supervisor)["a"] is State.RUNNING


def block(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.mkdir(parents=True)
    (place / "occupied").touch()


async def test_a_damaged_memory_is_set_aside(opened: Opened, services: Services) -> None:
    place = paths.project(services.home, "shop") / "state.json"
    place.parent.mkdir(parents=True)
    place.write_text('{"tasks": {"a": 7}}')
    ear = Ear(services.bus)
    async with opened(PAIR) as supervisor:
        assert states(supervisor) == {"a": State.STOPPED, "b": State.STOPPED}
    assert [event["event"] for event in ear.kinds("state_damaged")] == ["state_damaged"]


async def test_a_memory_that_cannot_be_read_now_is_read_later(
    opened: Opened, services: Services
) -> None:
    known = {"a": Memory(state="running", wanted=True, run=6), "b": Memory(reason="by hand")}
    services.store.save_project("shop", ProjectMemory(known))
    ear, wanted = Ear(services.bus), anyio.Event()

    async def live() -> None:
        async with opened(PAIR) as supervisor:
            await until(supervisor, "a", State.RUNNING)
            assert supervisor.crew["a"].run == 7
            assert supervisor.crew["b"].task.reason == "by hand"
        wanted.set()

    async with create_task_group() as group:
        with no_more_files():
            group.start_soon(live)
            await anyio.wait_all_tasks_blocked()
        await wanted.wait()
    assert ear.kinds("state_damaged") == []
