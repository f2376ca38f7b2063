from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.errors import NoFreePort
from taskmux.lifecycle import Hook, Policy, Restart, Start, State, Stop
from taskmux.runner import Ending
from tests.runner.conftest import PORT, here, spec_of, touch

if TYPE_CHECKING:
    from tests.runner.conftest import Pipe, Work

SLEEP = "exec sleep 60"
HOLD = "trap '' INT TERM; exec 3>pipe; echo up >&3; sleep 60"
NO = Policy(restart=Restart.NO)
FINAL = Stop(final=True)


async def test_each_comes_at_its_turn_and_its_output_is_in_the_log(work: Work) -> None:
    hooks = {hook: (f"echo {hook} $PORT", f"printf '{hook} 2'") for hook in Hook}
    async with work("echo at work; exec sleep 60", hooks=hooks, ready_log="at work") as site:
        await site.runner.wait_until(lambda task: task.state is State.RUNNING)
        while "after_start 2" not in site.said():
            await anyio.lowlevel.checkpoint()
        site.runner.ask(Stop())
        await site.until(State.STOPPED)

        def of(hook: Hook) -> list[str]:
            first, second = hooks[hook]
            return [
                f"[taskmux] {hook}: {first}",
                f"{hook} {PORT}",
                f"[taskmux] {hook}: {second}",
                f"{hook} 2",
            ]

        assert site.said() == [
            *of(Hook.BEFORE_START),
            "[taskmux] run 1 started (pid …)",
            "at work",
            *of(Hook.AFTER_START),
            *of(Hook.BEFORE_STOP),
            "[taskmux] killed by signal 2",
            *of(Hook.AFTER_STOP),
        ]
        assert site.told() == ["task_started", "task_ready", "task_exited", "task_stopped"]
        assert len(site.outfits) == 1


@pytest.mark.parametrize(
    ("command", "limit", "code", "said"),
    [
        ("echo why; exit 3", 60.0, "E400", "before_start of web failed with 3: why"),
        ("kill -TERM $$", 60.0, "E400", "before_start of web failed with -15"),
        ("sleep 60", 0.05, "E401", "before_start of web did not end within 0.05 s"),
    ],
)
async def test_before_start_failing_keeps_it_from_starting(
    work: Work, command: str, limit: float, code: str, said: str
) -> None:
    hooks = {Hook.BEFORE_START: (command, "echo never")}
    async with work(SLEEP, hooks=hooks, hook_timeout=limit) as site:
        task = await site.until(State.FAILED)
        assert site.runner.error is not None
        assert (task.reason, site.runner.error.code) == (said, code)
        assert site.said()[-1] == f"[taskmux] {said}"
        assert "never" not in site.said()
        assert site.told() == ["hook_failed", "task_failed"]
        assert (site.events("hook_failed")[0]["hook"], site.pid) == ("before_start", None)


@pytest.mark.parametrize(
    ("cwd", "environ", "code"),
    [("gone", {}, "E213"), (".", {"LONG": "x" * 10_000_000}, "E215")],
    ids=["no folder", "no process"],
)
async def test_a_hook_that_cannot_be_run_fails(
    work: Work, cwd: str, environ: dict[str, str], code: str
) -> None:
    hooks = {Hook.BEFORE_START: "true"}
    async with work(SLEEP, hooks=hooks, cwd=here(cwd), start=False) as site:
        site.environ = environ
        site.runner.ask(Start())
        task = await site.until(State.FAILED)
        assert site.runner.error is not None
        assert (site.runner.error.code, str(site.runner.error)) == (code, task.reason)
        assert "before_start" in site.said()[0]


async def test_nothing_of_a_hook_that_took_too_long_is_left(work: Work, pipe: Pipe) -> None:
    async with work(SLEEP, hooks={Hook.BEFORE_START: HOLD}, hook_timeout=0.3) as site:
        assert await pipe.line() == "up"
        await site.until(State.FAILED)
        assert os.read(pipe.fd, 1) == b""


async def test_before_start_runs_before_every_process(work: Work) -> None:
    again = Policy(max_restarts=1, backoff_limit=0.0)
    async with work("exit 3", again, hooks={Hook.BEFORE_START: "true"}) as site:
        await site.until(State.FAILED)
        assert site.said() == [
            line
            for run in (1, 2)
            for line in (
                "[taskmux] before_start: true",
                f"[taskmux] run {run} started (pid …)",
                "[taskmux] exited with 3",
            )
        ]


async def test_after_start_failing_changes_nothing(work: Work) -> None:
    async with work("read x <go; exit 3", NO, hooks={Hook.AFTER_START: "exit 4"}) as site:
        os.mkfifo("go")
        await site.until(State.RUNNING)
        while "hook_failed" not in site.told():
            await anyio.lowlevel.checkpoint()
        assert (site.task.state, site.runner.error) == (State.RUNNING, None)
        await anyio.Path("go").write_text("\n")
        task = await site.until(State.FAILED)
        assert (task.reason, site.runner.error) == ("exited with 3", None)


@pytest.mark.parametrize("wish", [Stop(), Stop(kill=True)], ids=["stop", "kill"])
async def test_after_start_ends_with_its_process(work: Work, pipe: Pipe, wish: Stop) -> None:
    async with work(SLEEP, hooks={Hook.AFTER_START: HOLD}) as site:
        assert await pipe.line() == "up"
        site.runner.ask(wish)
        await site.until(State.STOPPED)
        assert os.read(pipe.fd, 1) == b""


async def test_before_stop_failing_keeps_it_up(work: Work) -> None:
    async with work(SLEEP, hooks={Hook.BEFORE_STOP: "test -f allowed"}) as site:
        await site.until(State.RUNNING)
        pid = site.pid
        site.runner.ask(Stop())
        task = await site.runner.wait_until(lambda task: "given up" in task.reason)
        assert (task.state, task.wanted, site.pid) == (State.RUNNING, True, pid)
        assert site.runner.error is not None
        assert site.runner.error.code == "E400"
        assert site.told() == ["task_started", "task_ready", "hook_failed"]
        touch("allowed")
        site.runner.ask(Stop())
        assert site.runner.error is None
        await site.until(State.STOPPED)


async def test_a_refused_stop_is_not_the_reason_of_a_later_exit(work: Work) -> None:
    os.mkfifo("go")
    async with work("read x <go; exit 3", NO, hooks={Hook.BEFORE_STOP: "exit 4"}) as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        await site.runner.wait_until(lambda task: "given up" in task.reason)
        await anyio.Path("go").write_text("\n")
        task = await site.until(State.FAILED)
        assert (task.reason, site.runner.error) == ("exited with 3", None)


async def test_a_final_stop_is_not_kept_up(work: Work) -> None:
    async with work(SLEEP, hooks={Hook.BEFORE_STOP: "exit 4"}) as site:
        await site.until(State.RUNNING)
        site.runner.ask(FINAL)
        await site.until(State.STOPPED)
        assert (site.runner.ending, site.told()[2]) == (Ending("SIGINT"), "hook_failed")


async def test_an_exit_during_before_stop_ends_the_hook(work: Work, pipe: Pipe) -> None:
    os.mkfifo("go")
    async with work("read x <go; exit 3", hooks={Hook.BEFORE_STOP: HOLD}) as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        assert await pipe.line() == "up"
        await anyio.Path("go").write_text("\n")
        await site.until(State.STOPPED)
        assert os.read(pipe.fd, 1) == b""
        assert (site.runner.status, site.runner.ending) == (3, Ending())


@pytest.mark.parametrize("command", ["exit 0", "exit 4"])
async def test_after_stop_comes_last_and_cannot_refuse(work: Work, command: str) -> None:
    async with work(SLEEP, hooks={Hook.AFTER_STOP: command}) as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        task = await site.until(State.STOPPED)
        assert (task.reason, site.runner.error) == ("stopped on request", None)
        assert site.told().count("hook_failed") == (command == "exit 4")


async def test_after_stop_comes_before_the_next_process(work: Work) -> None:
    async with work(SLEEP, hooks={Hook.AFTER_STOP: "true"}) as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        site.runner.ask(Start())
        await site.runner.wait_until(lambda task: task.state is State.RUNNING and task.epoch == 2)
        assert site.said() == [
            "[taskmux] run 1 started (pid …)",
            "[taskmux] killed by signal 2",
            "[taskmux] after_stop: true",
            "[taskmux] run 2 started (pid …)",
        ]


@pytest.mark.parametrize("hook", [Hook.BEFORE_STOP, Hook.AFTER_STOP])
async def test_a_stop_of_what_could_not_be_made_asks_no_hook_in_vain(
    work: Work, hook: Hook
) -> None:
    async with work(SLEEP, hooks={hook: "true"}, start=False) as site:
        site.no_outfit = NoFreePort("web")
        site.runner.ask(Start())
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        assert (site.outfits, [line for line in site.said() if "true" in line]) == ([], [])


async def test_a_process_wears_what_its_own_before_start_was_given(work: Work, pipe: Pipe) -> None:
    hooked = spec_of(SLEEP, hooks={Hook.BEFORE_START: HOLD})
    async with work(hooked) as site:
        assert await pipe.line() == "up"
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        site.runner.declare(replace(hooked, policy=Policy(), hooks={}))
        site.runner.ask(Start())
        await site.until(State.RUNNING)
        assert site.runner.life is not None
        assert [outfit.run for outfit in site.outfits] == [1, 2]
        assert site.runner.life.outfit == site.outfits[1]
