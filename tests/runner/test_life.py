"""A process and its probe: ready, ill, and well again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.lifecycle import Policy, Restart, Start, State, Stop
from taskmux.logs import LogWriter
from taskmux.probes.alive import AliveProbe
from taskmux.probes.check import CheckProbe
from taskmux.processes.model import MARKER
from taskmux.runner import Ending, Health, Life, Outfit
from taskmux.runner.life import FIRST_PAUSE, pause
from tests.runner.conftest import ILL, WELL, Answers, spec_of, touch

if TYPE_CHECKING:
    from tests.runner.conftest import Site, Work

SLEEP = "exec sleep 60"
CHECK = TaskFacts("web", health_check="test -f well || { echo no $PORT; exit 5; }")
OFTEN = 0.02


async def test_is_ready_when_its_check_passes(work: Work) -> None:
    async with work(SLEEP, probe=CheckProbe(), facts=CHECK, health_interval=OFTEN) as site:
        task = await site.runner.wait_until(lambda task: task.reason != "not probed yet")
        assert (task.state, task.reason) == (
            State.STARTING,
            "not ready yet: exited with 5: no 23417",
        )
        touch("well")
        await site.until(State.RUNNING)
        health = site.runner.health
        assert health is not None
        assert (health.ok, health.method, health.reason) == (True, "health_check", "exited with 0")
        assert "health_check_failed" not in site.told()


async def test_what_has_never_run_anything_is_not_ready(work: Work) -> None:
    policy = Policy(restart=Restart.NO)
    async with work("exec ./none", policy, probe=AliveProbe(), health_interval=OFTEN) as site:
        await site.until(State.FAILED)
        assert "task_ready" not in site.told()


@pytest.mark.parametrize("printed", ["echo up", "printf 'almost up'"], ids=["line", "prompt"])
async def test_is_ready_when_it_prints_what_ready_log_waits_for(work: Work, printed: str) -> None:
    async with work(f"{printed}; exec sleep 60", ready_log="up$", probe=Answers(ILL)) as site:
        task = await site.until(State.RUNNING)
        assert task.reason == "printed what ready_log waits for"
        assert site.runner.health is not None
        assert site.runner.health.method == "ready_log"


async def test_is_asked_after_once_it_printed_that_it_is_ready(work: Work) -> None:
    probe = Answers(ILL)
    async with work(
        "echo up; exec sleep 60", ready_log="up", probe=probe, health_interval=OFTEN
    ) as site:
        task = await site.until(State.UNHEALTHY)
        assert (task.reason, site.told()[1]) == ("ill (1 in a row)", "task_ready")


async def test_what_taskmux_says_itself_makes_nothing_ready(work: Work) -> None:
    async with work("echo; exec sleep 60", ready_log="run|started") as site:
        while "" not in site.said():
            await anyio.lowlevel.checkpoint()
        assert site.task.state is State.STARTING


async def test_what_a_probe_says_can_be_written_down(work: Work) -> None:
    odd = ProbeResult(False, "no file caf\udce9")
    async with work(SLEEP, probe=Answers(odd)) as site:
        task = await site.runner.wait_until(lambda task: task.reason != "not probed yet")
        assert task.reason == "not ready yet: no file caf?"


async def test_falls_ill_and_gets_well(work: Work) -> None:
    ill = Policy(health_retries=3)
    probe = Answers(WELL, ILL, ILL, WELL, ILL, WELL)
    async with work(SLEEP, ill, probe=probe, health_interval=OFTEN) as site:
        for _ in range(2):
            await site.until(State.RUNNING)
            task = await site.until(State.UNHEALTHY)
            assert task.reason == "ill (1 in a row)"
        await site.until(State.RUNNING)
        failed = site.events("health_check_failed")
        assert [(event["attempt"], event["reason"]) for event in failed] == [
            (1, "ill"),
            (2, "ill"),
            (1, "ill"),
        ]
        assert len(site.outfits) == 1


async def test_is_restarted_if_it_stays_ill(work: Work) -> None:
    ill = Policy(health_retries=2, backoff_limit=0.0)
    async with work(SLEEP, ill, probe=Answers(WELL, ILL, ILL, WELL), health_interval=OFTEN) as site:
        await site.runner.wait_until(lambda task: task.state is State.RUNNING and task.epoch == 2)
        assert site.told() == [
            "task_started",
            "task_ready",
            "health_check_failed",
            "health_check_failed",
            "task_exited",
            "restart_scheduled",
            "auto_restart",
            "task_started",
            "task_ready",
        ]
        [scheduled] = site.events("restart_scheduled")
        assert scheduled["reason"].startswith("2 failed probes in a row")


async def test_is_left_ill_if_it_is_never_restarted(work: Work) -> None:
    policy = Policy(restart=Restart.NO, health_retries=1)
    async with work(SLEEP, policy, probe=Answers(WELL, ILL), health_interval=OFTEN) as site:
        task = await site.runner.wait_until(lambda task: task.misses == 3)
        assert (task.state, len(site.outfits)) == (State.UNHEALTHY, 1)


class Unprepared(Answers):
    """A probe that fails before it can be asked."""

    def prepare(self, target: ProbeTarget) -> Probe:
        raise ValueError("it has no idea")


class NoResult:
    ok = True


async def wrong() -> NoResult:
    return NoResult()


async def late() -> ProbeResult:
    await anyio.sleep_forever()
    return WELL


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        (Answers(ValueError("it broke")), "answers could not answer: it broke"),
        (Answers(TimeoutError()), "answers could not answer: TimeoutError"),
        (Answers(TimeoutError("the server took too long")), "the server took too long"),
        (Answers(late), "no answer within 0.05 s"),
        (Answers(None), "'NoneType' object has no attribute 'ok'"),
        (Answers(wrong), "'NoResult' object has no attribute 'detail'"),
        (Unprepared(None), "answers could not prepare: it has no idea"),
    ],
    ids=["raises", "times out", "says so", "hangs", "none", "wrong", "unprepared"],
)
async def test_a_probe_that_fails_says_nothing_good(
    work: Work, probe: Answers, reason: str
) -> None:
    facts = TaskFacts("web", health_timeout=0.05)
    async with work(SLEEP, probe=probe, facts=facts) as site:
        task = await site.runner.wait_until(lambda task: task.reason != "not probed yet")
        assert task.state is State.STARTING
        assert reason in task.reason
        assert site.runner.health is not None
        assert not site.runner.health.ok


async def test_a_hanging_probe_does_not_hold_up_a_stop(work: Work) -> None:
    async with work(SLEEP, probe=Answers(late), facts=TaskFacts("web", health_timeout=60)) as site:
        await anyio.wait_all_tasks_blocked()
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        assert site.runner.ending == Ending("SIGINT")


async def test_the_health_of_one_process_is_not_that_of_the_next(work: Work) -> None:
    async with work(SLEEP, probe=Answers(WELL, late)) as site:
        await site.until(State.RUNNING)
        assert site.runner.health is not None
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        site.runner.ask(Start())
        await anyio.wait_all_tasks_blocked()
        assert (site.task.state, site.seen[-1], _health_of(site)) == (
            State.STARTING,
            site.pid,
            None,
        )


def _health_of(site: Site) -> Health | None:
    return site.runner.health


# A life without a runner


def life_of(command: str, probe: Answers, home: Path) -> Life:
    environ = {"PATH": os.environ["PATH"], MARKER: str(home)}
    log = LogWriter(home / "web.log", max_size=1_000_000, max_files=1)
    return Life.begin(spec_of(command, probe=probe), Outfit(environ, 1, 1, str(home)), log)


async def test_no_probe_speaks_well_of_the_dead(home: Path) -> None:
    answered = anyio.Event()
    heard: list[Health] = []

    async def answer() -> ProbeResult:
        await answered.wait()
        return WELL

    with anyio.fail_after(20):
        life = life_of("exit 3", Answers(answer), home)
        # The answer is on its way in the moment that the exit is noticed.
        assert await life.live(heard.append, answered.set) == 3
    assert heard == []


async def test_what_could_not_be_made_leaves_nothing_open(
    home: Path, descriptors: Callable[[], int]
) -> None:
    before = descriptors()
    log = LogWriter(home / "web.log", max_size=1_000_000, max_files=1)
    with pytest.raises(OSError, match="No such file"):
        Life.begin(spec_of("true", cwd=home / "gone"), Outfit({}, 1, 1, "none"), log)
    log.close()
    assert descriptors() == before


@pytest.mark.parametrize(
    ("elapsed", "wait"), [(0.0, FIRST_PAUSE), (0.1, FIRST_PAUSE), (5.0, 0.5), (1000.0, 10.0)]
)
def test_a_slow_start_is_asked_after_ever_less_often(elapsed: float, wait: float) -> None:
    assert pause(elapsed, spec_of("true", cwd=Path("/"))) == wait
