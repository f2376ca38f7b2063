"""Stops, kills, and restarts that come in between."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import anyio
import pytest

from taskmux.lifecycle import Hook, Policy, Restart, Start, State, Stop, Task, Urge
from taskmux.processes import native
from taskmux.runner import Ending, Life
from tests.runner.conftest import ILL, WELL, Answers, here, touch

if TYPE_CHECKING:
    from tests.runner.conftest import Pipe, Work

SLEEP = "exec sleep 60"
HOLD = "exec 3>pipe; echo up >&3; sleep 60"
NO = Policy(restart=Restart.NO)
KILL = Stop(kill=True)
PATIENT = 60.0
"""More than any test may take."""


def deaf(trap: str) -> str:
    """Return a command that traps signals so, says `up`, and ends for no other reason."""
    return f"trap {trap}; echo up; while :; do sleep 0.05; done"


async def death_of(life: Life) -> None:
    """Return once the process has ended and its runner knows."""
    await anyio.wait_readable(fd := native.exit_fd(life.pid))
    os.close(fd)
    await anyio.wait_all_tasks_blocked()
    assert life.ended


@pytest.mark.parametrize(
    ("trap", "grace", "took", "status"),
    [
        ("- INT", PATIENT, "SIGINT", -2),
        ("'exit 7' INT", PATIENT, "SIGINT", 7),
        ("'' INT", 0.5, "SIGTERM", -15),
        ("'' INT TERM", 0.1, "SIGKILL", -9),
    ],
    ids=["polite", "exits", "deaf to SIGINT", "deaf"],
)
async def test_asks_ever_harder(
    work: Work, trap: str, grace: float, took: str, status: int
) -> None:
    async with work(deaf(trap), Policy(grace=grace), ready_log="up") as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        task = await site.until(State.STOPPED)
        assert task == Task(reason="stopped on request", epoch=1)
        assert (site.runner.ending, site.runner.status) == (Ending(took), status)
        ended = f"killed by signal {-status}" if status < 0 else f"exited with {status}"
        assert site.said() == ["[taskmux] run 1 started (pid …)", "up", f"[taskmux] {ended}"]
        assert site.told() == ["task_started", "task_ready", "task_exited", "task_stopped"]


async def test_the_dead_are_not_asked_harder(work: Work) -> None:
    async with work("tty; exec sleep 60", Policy(grace=0.5), ready_log="/dev/") as site:
        await site.until(State.RUNNING)
        # As long as we hold its terminal, there may be output still to come.
        terminal = os.open(site.said()[1], os.O_RDWR | os.O_NOCTTY)
        assert site.runner.life is not None
        site.runner.ask(Stop())
        await death_of(site.runner.life)
        await anyio.sleep(0.6)  # longer than the grace that began before
        assert (site.task.state, site.runner.ending) == (State.STOPPING, Ending("SIGINT"))
        os.close(terminal)
        await site.until(State.STOPPED)
        assert site.runner.ending == Ending("SIGINT")


@pytest.mark.parametrize("wish", [Stop(), KILL], ids=["stop", "kill"])
async def test_a_stop_of_the_dead_took_no_signal(work: Work, wish: Stop) -> None:
    os.mkfifo("go")
    async with work("tty; read x <go; exit 3", Policy(grace=0.05), ready_log="/dev/") as site:
        await site.until(State.RUNNING)
        life = site.runner.life
        assert life is not None
        terminal = os.open(site.said()[1], os.O_RDWR | os.O_NOCTTY)
        await anyio.Path("go").write_text("\n")
        await death_of(life)
        site.runner.ask(wish)
        # It comes to the hardest urge, and has none of them carried out.
        await site.runner.wait_until(lambda task: task.urge is Urge.KILL)
        os.close(terminal)
        await site.until(State.STOPPED)
        assert (site.runner.status, site.runner.ending) == (3, Ending())


@pytest.mark.parametrize("wish", [Stop(), KILL], ids=["stop", "kill"])
@pytest.mark.parametrize(
    "leave",
    [
        f"({HOLD}) &",
        f"set -m; ({HOLD}) &",
        f"(trap '' INT TERM HUP; {HOLD}) &",
        f'{sys.executable} -S -E -c \'import os; os.setsid(); os.execvp(*["sh", ["sh", "-c", '
        f'"{HOLD}"]])\' &',
    ],
    ids=["background", "job control", "deaf", "own session"],
)
async def test_a_stop_is_over_when_nothing_is_left(
    work: Work, pipe: Pipe, leave: str, wish: Stop
) -> None:
    async with work(f"{leave} wait", Policy(grace=0.5)) as site:
        assert await pipe.line() == "up"
        site.runner.ask(wish)
        await site.until(State.STOPPED)
        assert os.read(pipe.fd, 1) == b""
        assert site.runner.ending.survivors == ()


async def test_an_exit_ends_what_it_leaves_too(work: Work, pipe: Pipe) -> None:
    os.mkfifo("go")
    async with work(f"(trap '' HUP; {HOLD}) & read line <go; exit 3", NO) as site:
        assert await pipe.line() == "up"
        await anyio.Path("go").write_text("\n")
        await site.until(State.FAILED)
        assert os.read(pipe.fd, 1) == b""
        assert (site.runner.status, site.runner.ending) == (3, Ending())


async def test_what_cannot_be_ended_is_named(
    work: Work, as_nobody: Callable[[], AbstractContextManager[int]]
) -> None:
    # The leader becomes nobody, as we do; what it left in the background does not.
    shell = "['sh', '-c', 'echo up; exec sleep 60']"
    drop = f"import os; os.setgroups([]); os.setuid(65534); os.execv('/bin/sh', {shell})"
    left = "(trap '' HUP; exec sleep 60 <&- >&- 2>&-) & echo $! >left"
    async with work(f'{left}; exec {sys.executable} -S -E -c "{drop}"', ready_log="up") as site:
        await site.until(State.RUNNING)
        pid = int(here("left").read_text())
        end = native.exit_fd(pid)
        try:
            with as_nobody():
                site.runner.ask(Stop())
                await site.until(State.STOPPED)
            assert site.runner.ending == Ending("SIGINT", (pid,))
            site.runner.ask(Stop())
            assert site.runner.ending == Ending(None, (pid,))
        finally:
            os.kill(pid, signal.SIGKILL)
            await anyio.wait_readable(end)
            os.close(end)


# Before there is a process, and in the very turn of its start


async def wait_for_ever() -> None:
    await anyio.sleep_forever()


@pytest.mark.parametrize("wish", [Stop(), KILL, Stop(final=True)], ids=["stop", "kill", "final"])
@pytest.mark.parametrize("phase", [State.WAITING, State.BACKOFF])
async def test_a_task_without_a_process_stops_at_once(work: Work, phase: State, wish: Stop) -> None:
    waiting = Policy(depends_on=("db",), backoff_limit=PATIENT)
    policy = waiting if phase is State.WAITING else Policy(backoff_limit=PATIENT)
    async with work("exit 3", policy, dependencies=wait_for_ever) as site:
        await site.until(phase)
        told = site.told()
        site.runner.ask(wish)
        assert site.task.state is State.STOPPED
        await site.until(State.STOPPED)
        assert site.told() == [*told, "task_stopped"]
        assert site.runner.ending == Ending()


async def test_a_stop_during_before_start_leaves_nothing_of_it(work: Work, pipe: Pipe) -> None:
    async with work("true", hooks={Hook.BEFORE_START: f"trap '' INT TERM; {HOLD}"}) as site:
        assert await pipe.line() == "up"
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        assert os.read(pipe.fd, 1) == b""
        assert site.told() == ["task_stopped"]


async def test_a_start_after_it_waits_until_the_first_hook_is_gone(work: Work, pipe: Pipe) -> None:
    hook = "exec 3>pipe; echo up >&3; test -f second || sleep 60"
    async with work(SLEEP, hooks={Hook.BEFORE_START: hook}) as site:
        assert await pipe.line() == "up"
        touch("second")
        site.runner.ask(Stop())
        site.runner.ask(Start())
        await site.until(State.RUNNING)
        assert [line for line in site.said() if "before_start" in line] == [
            f"[taskmux] before_start: {hook}"
        ] * 2
        assert len(site.outfits) == 2


@pytest.mark.parametrize(("wish", "took"), [(Stop(), "SIGINT"), (KILL, "SIGKILL")])
async def test_a_stop_in_the_turn_of_the_start_reaches_the_process(
    work: Work, wish: Stop, took: str
) -> None:
    async with work(SLEEP, Policy(grace=PATIENT)) as site:
        site.runner.ask(wish)
        assert site.task.state is State.STOPPING
        await site.until(State.STOPPED)
        assert (site.runner.ending, len(site.outfits)) == (Ending(took), 1)
        kinds = ["task_killed"] if wish.kill else []
        assert site.told() == [*kinds, "task_started", "task_exited", "task_stopped"]


async def test_a_stop_that_finds_no_process_took_no_signal(work: Work) -> None:
    ill = Policy(health_retries=1, backoff_limit=PATIENT)
    probe = Answers(WELL, ILL)
    async with work(SLEEP, ill, probe=probe, health_interval=0.01) as site:
        await site.until(State.BACKOFF)
        assert site.runner.ending == Ending("SIGINT")
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        assert site.runner.ending == Ending()


# Kills


async def test_kill_does_not_ask(work: Work) -> None:
    async with work(deaf("'' INT TERM"), Policy(grace=PATIENT), ready_log="up") as site:
        await site.until(State.RUNNING)
        site.runner.ask(KILL)
        await site.until(State.STOPPED)
        assert (site.runner.ending, site.runner.status) == (Ending("SIGKILL"), -9)
        told = ["task_started", "task_ready", "task_killed", "task_exited", "task_stopped"]
        assert site.told() == told


async def test_kill_hurries_a_stop(work: Work) -> None:
    async with work(deaf("'' INT TERM"), Policy(grace=PATIENT), ready_log="up") as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        site.runner.ask(KILL)
        await site.until(State.STOPPED)
        assert site.runner.ending == Ending("SIGKILL")


async def test_kill_waits_for_no_hook_and_leaves_nothing_of_it(work: Work, pipe: Pipe) -> None:
    async with work(SLEEP, hooks={Hook.BEFORE_STOP: f"trap '' INT TERM; {HOLD}"}) as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        assert await pipe.line() == "up"
        site.runner.ask(KILL)
        await site.until(State.STOPPED)
        assert os.read(pipe.fd, 1) == b""
        assert site.runner.ending == Ending("SIGKILL")


# Restarts


@pytest.mark.parametrize(
    ("wishes", "state", "runs"),
    [
        ((Stop(), Start()), State.RUNNING, 2),
        ((KILL, Start()), State.RUNNING, 2),
        ((Stop(), Start(), Stop()), State.STOPPED, 1),
        ((Stop(), Start(), KILL), State.STOPPED, 1),
        ((Stop(), Start(), Stop(), Start()), State.RUNNING, 2),
    ],
    ids=["restart", "kill and start", "stop after all", "kill after all", "restart after all"],
)
async def test_the_newest_wish_counts(
    work: Work, wishes: tuple[Start | Stop, ...], state: State, runs: int
) -> None:
    async with work(SLEEP) as site:
        await site.until(State.RUNNING)
        numbers = [site.runner.ask(wish) for wish in wishes]
        assert numbers == list(range(2, 2 + len(wishes)))
        task = await site.runner.wait_until(lambda task: task.state is state and task.epoch == runs)
        assert (task.wanted, len(site.outfits)) == (state is State.RUNNING, runs)


async def test_a_stop_in_the_turn_of_a_crash_is_not_undone(work: Work) -> None:
    async with work("exit 3", Policy(backoff_limit=0.0)) as site:
        await site.runner.wait_until(lambda task: task.epoch == 3)
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        await anyio.wait_all_tasks_blocked()
        assert (site.task.state, site.task.epoch) == (State.STOPPED, 3)


# Output


@pytest.mark.parametrize(("wish", "last"), [(Stop(), ["end"]), (KILL, [])], ids=["stop", "kill"])
async def test_a_flood_is_stopped_without_losing_a_line(
    work: Work, wish: Stop, last: list[str]
) -> None:
    count = "i=0; while :; do i=$((i+1)); echo $i; done"
    command = f"trap 'echo end; exit 0' INT; {count}"
    async with work(command, Policy(grace=PATIENT), ready_log="^1000$") as site:
        await site.until(State.RUNNING)
        site.runner.ask(wish)
        await site.until(State.STOPPED)
    _, *printed, ended = site.said()
    assert printed[len(printed) - len(last) :] == last
    numbers = printed[: len(printed) - len(last)]
    assert len(numbers) >= 1000
    assert numbers == [str(i + 1) for i in range(len(numbers))]
    assert ended == ("[taskmux] killed by signal 9" if wish.kill else "[taskmux] exited with 0")


async def test_what_is_printed_at_the_last_moment_is_kept(work: Work) -> None:
    async with work("trap 'printf last; exit 0' INT; echo up; read x", ready_log="up") as site:
        await site.until(State.RUNNING)
        site.runner.ask(Stop())
        await site.until(State.STOPPED)
        assert site.said()[1:] == ["up", "last", "[taskmux] exited with 0"]
