"""Starts, exits and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.errors import NeverReady, NoFreePort, TaskmuxError
from taskmux.lifecycle import Policy, Restart, Start, State, Stop
from tests.runner.conftest import ILL, Answers, here, spec_of, touch

if TYPE_CHECKING:
    from tests.runner.conftest import Pipe, Work

SLEEP = "exec sleep 60"
NO, ALWAYS = Policy(restart=Restart.NO), Policy(restart=Restart.ALWAYS)
ONCE = Policy(oneshot=True, restart=Restart.NO)
NEEDY = Policy(depends_on=("db",))
AGAIN = Policy(max_restarts=1, backoff_limit=0.01)
ALWAYS_AGAIN = Policy(restart=Restart.ALWAYS, max_restarts=2, backoff_limit=0.01)
NEVER = Answers(ILL)


def ran(runs: int, ended: str, *printed: str) -> list[str]:
    """Return what the log says of so many runs that all went the same way."""
    marks = [f"[taskmux] run {run + 1} started (pid …)" for run in range(runs)]
    return [line for mark in marks for line in (mark, *printed, f"[taskmux] {ended}")]


@pytest.mark.parametrize(
    ("command", "policy", "state", "runs", "status", "ended"),
    [
        ("exit 0", Policy(), State.STOPPED, 1, 0, "exited with 0"),
        ("exit 0", NO, State.STOPPED, 1, 0, "exited with 0"),
        ("exit 3", NO, State.FAILED, 1, 3, "exited with 3"),
        ("kill -TERM $$", NO, State.FAILED, 1, -15, "killed by signal 15"),
        ("exit 0", ONCE, State.COMPLETED, 1, 0, "exited with 0"),
        ("exit 3", ONCE, State.FAILED, 1, 3, "exited with 3"),
        ("exit 3", AGAIN, State.FAILED, 2, 3, "exited with 3"),
        ("kill -KILL $$", AGAIN, State.FAILED, 2, -9, "killed by signal 9"),
        ("exit 0", ALWAYS_AGAIN, State.FAILED, 3, 0, "exited with 0"),
        ("exit 3", Policy(max_restarts=0), State.FAILED, 1, 3, "exited with 3"),
        ("exec ./none", ALWAYS, State.FAILED, 1, 127, "command not found (exited with 127)"),
        (
            "exec ./plain",
            ALWAYS,
            State.FAILED,
            1,
            126,
            "the command may not be executed (exited with 126)",
        ),
    ],
)
async def test_what_follows_an_exit(
    work: Work, command: str, policy: Policy, state: State, runs: int, status: int, ended: str
) -> None:
    touch("plain")
    async with work(f"echo up; {command} 2>/dev/null", policy, probe=NEVER) as site:
        task = await site.until(State.STOPPED, State.COMPLETED, State.FAILED)
        assert (task.state, site.runner.status, site.pid) == (state, status, None)
        assert task.reason.startswith(ended)
        assert ("gave up" in task.reason) == (runs > 1 or policy.max_restarts == 0)
        assert [line for line in site.said() if "sh: " not in line] == ran(runs, ended, "up")
        once = ["task_started", "task_exited"]
        given_up = ["max_restarts_reached"] if runs > 1 else []
        last = [*given_up, f"task_{state}"]
        again = ["restart_scheduled", "auto_restart"]
        assert site.told() == [*((once + again) * (runs - 1)), *once, *last]
        code, signal = (status, None) if status >= 0 else (None, -status)
        [event, *_] = site.events("task_exited")
        assert (event.get("exit_code"), event.get("signal")) == (code, signal)
        assert len(site.outfits) == runs


async def test_is_ready_when_the_probe_is_content(work: Work) -> None:
    async with work(SLEEP) as site:
        task = await site.until(State.RUNNING)
        assert (task.reason, site.told()) == ("well", ["task_started", "task_ready"])
        [started] = site.events("task_started")
        assert (started["pid"], started["port"]) == (site.pid, 23417)


async def test_a_process_is_told_of_before_it_is_ready(work: Work) -> None:
    async with work(SLEEP, probe=Answers(anyio.sleep_forever)) as site:
        await site.until(State.STARTING)
        await anyio.wait_all_tasks_blocked()
        assert site.pid is not None
        assert site.seen[-1] == site.pid


# Dependencies


async def test_starts_the_moment_its_dependencies_are_ready(work: Work) -> None:
    ready = anyio.Event()
    async with work(SLEEP, NEEDY, dependencies=ready.wait) as site:
        await anyio.wait_all_tasks_blocked()
        assert (site.task.state, site.pid) == (State.WAITING, None)
        ready.set()
        await site.until(State.RUNNING)


async def test_a_lost_dependency_fails_it_at_once(work: Work) -> None:
    async def lost() -> None:
        raise NeverReady("web", "db", "exited with 1")

    async with work(SLEEP, NEEDY, dependencies=lost) as site:
        task = await site.until(State.FAILED)
        assert site.runner.error is not None
        assert site.runner.error.code == "E214"
        assert task.reason == str(site.runner.error)
        assert site.said() == [f"[taskmux] {task.reason}"]
        assert site.told() == ["task_failed"]


async def test_only_the_newest_wait_goes_on(work: Work) -> None:
    waiting = 0

    async def never() -> None:
        nonlocal waiting
        waiting += 1
        try:
            await anyio.sleep_forever()
        finally:
            waiting -= 1

    async with work(SLEEP, NEEDY, dependencies=never) as site:
        for _ in range(3):
            await anyio.wait_all_tasks_blocked()
            site.runner.ask(Stop())
            site.runner.ask(Start())
        await anyio.wait_all_tasks_blocked()
        assert waiting == 1


# What cannot be started


@pytest.mark.parametrize(
    ("cwd", "environ", "no_outfit", "code"),
    [
        ("gone", {}, None, "E213"),
        ("plain", {}, None, "E213"),
        (".", {"LONG": "x" * 10_000_000}, None, "E215"),
        (".", {}, NoFreePort("web"), "E216"),
    ],
    ids=["no folder", "a file", "no process", "no port"],
)
async def test_what_cannot_be_made_fails_once(
    work: Work, cwd: str, environ: dict[str, str], no_outfit: TaskmuxError | None, code: str
) -> None:
    touch("plain")
    async with work("true", ALWAYS_AGAIN, cwd=here(cwd), start=False) as site:
        site.environ, site.no_outfit = environ, no_outfit
        site.runner.ask(Start())
        task = await site.until(State.FAILED)
        assert site.runner.error is not None
        assert (site.runner.error.code, str(site.runner.error)) == (code, task.reason)
        assert (site.said(), site.told()) == ([f"[taskmux] {task.reason}"], ["task_failed"])
        assert (site.runner.status, site.pid) == (None, None)


async def test_an_exit_is_the_reason_for_itself(work: Work) -> None:
    async with work("exit 3", NO, cwd=here("gone")) as site:
        await site.until(State.FAILED)
        here("gone").mkdir()
        site.runner.ask(Start())
        assert site.runner.error is None
        task = await site.until(State.FAILED)
        assert (task.reason, site.runner.error) == ("exited with 3", None)


# Backing off


async def test_waits_before_it_tries_again(work: Work) -> None:
    async with work("exit 3", Policy(backoff_limit=0.02, max_restarts=1)) as site:
        task = await site.until(State.BACKOFF)
        assert task.reason == "exited with 3; restart 1 of 1 in 0.02 s"
        assert (site.pid, len(site.outfits)) == (None, 1)
        await site.until(State.FAILED)
        [scheduled] = site.events("restart_scheduled")
        assert (scheduled["delay"], len(site.outfits)) == (0.02, 2)


async def test_a_start_waits_no_longer(work: Work) -> None:
    async with work("test -f up && exec sleep 60", Policy(backoff_limit=60)) as site:
        await site.until(State.BACKOFF)
        touch("up")
        site.runner.ask(Start())
        task = await site.until(State.RUNNING)
        assert (task.attempt, len(site.outfits)) == (0, 2)


# Declarations


async def test_a_process_keeps_the_declaration_it_was_started_with(work: Work) -> None:
    async with work("echo old; exec sleep 60", ready_log="old") as site:
        await site.until(State.RUNNING)
        before = site.runner.spec
        site.runner.declare(spec_of("echo new; exec sleep 60", ready_log="new"))
        assert (site.runner.outdated, site.runner.spec) == (True, before)
        site.runner.declare(before)
        assert not site.runner.outdated


@pytest.mark.parametrize("meanwhile", ["stopped", "stopping", "at rest"])
async def test_the_next_process_has_the_newest_declaration(work: Work, meanwhile: str) -> None:
    new = spec_of("echo new; exec sleep 60", ready_log="new")
    async with work("echo old; exec sleep 60", ready_log="old") as site:
        await site.until(State.RUNNING)
        if meanwhile != "at rest":
            site.runner.declare(new)
        site.runner.ask(Stop())
        if meanwhile != "stopping":
            await site.until(State.STOPPED)
        site.runner.declare(new)
        site.runner.ask(Start())
        await site.runner.wait_until(lambda task: task.state is State.RUNNING and task.epoch == 2)
        assert (site.runner.outdated, site.runner.spec) == (False, new)
        assert [line for line in site.said() if "taskmux" not in line] == ["old", "new"]


# Waiting for it


async def test_no_state_is_too_brief_to_be_waited_for(work: Work) -> None:
    async with work("exit 3", Policy(backoff_limit=60)) as site:
        await site.until(State.BACKOFF)
        async with anyio.create_task_group() as group:
            group.start_soon(site.until, State.STOPPED)
            await anyio.wait_all_tasks_blocked()
            site.runner.ask(Stop())
            site.runner.ask(Start())
        assert len(site.outfits) == 2


async def test_nobody_waits_for_what_cannot_come_any_more(work: Work) -> None:
    seen = []

    async def wait() -> None:
        seen.append(await site.until(State.COMPLETED))

    async with anyio.create_task_group() as group:
        async with work(SLEEP) as site:
            group.start_soon(wait)
            await site.until(State.RUNNING)
        group.start_soon(wait)
    assert [(task.state, task.reason, task.alive) for task in seen] == [
        (State.FAILED, "given up", False)
    ] * 2


async def test_what_rests_when_the_runner_ends_is_as_it_was(work: Work) -> None:
    async with work("exit 0", ONCE) as site:
        await site.until(State.COMPLETED)
    assert (site.task.state, site.task.reason) == (State.COMPLETED, "exited with 0")


# Cancelled


LOUD = "exec 3>pipe; trap '' INT TERM HUP; echo up >&3; (trap '' HUP; sleep 60) & wait"


async def test_cancelled_it_leaves_nothing(work: Work, pipe: Pipe) -> None:
    async with work(LOUD):
        assert await pipe.line() == "up"
    assert await pipe.line() == ""


async def test_may_be_cancelled_at_any_moment_of_a_life(work: Work) -> None:
    for moment in range(20):
        async with work("sleep 0.005", AGAIN):
            await anyio.sleep(moment / 1000)


@pytest.mark.parametrize("wish", [None, Stop(), Stop(kill=True)], ids=["start", "stop", "kill"])
async def test_may_be_cancelled_in_the_turn_of_a_wish(work: Work, wish: Stop | None) -> None:
    async with work("trap '' INT TERM; exec sleep 60", start=False) as site:
        site.runner.ask(Start())
        if wish is not None:
            site.runner.ask(wish)
    assert site.runner.life is None
