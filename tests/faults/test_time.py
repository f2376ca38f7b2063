"""Clocks that jump and machines that sleep cost no task anything; delays are exact."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import taskmux
from taskmux import logs
from taskmux.bus import Bus
from taskmux.lifecycle import Arm, Exited, Policy, Start, State, Task, Timer, TimerFired, step
from taskmux.logs import LogWriter
from tests.e2e.site import Site
from tests.faults.clock import LEAPING, LeapingLoop
from tests.runner.conftest import Site as Work
from tests.runner.conftest import spec_of

SOURCES = Path(taskmux.__file__).parent

WALL = {
    "api/commands/views.py": "`--since 5m` is asked about the wall clock",
    "bus/bus.py": "an event says when it was",
    "cli/history.py": "`--since 5m`, without a daemon",
    "cli/tables.py": "how long a task has been up, for people",
    "cli/trustcheck.py": "whether the authority ends soon",
    "daemon/serve.py": "when the daemon started",
    "files.py": "the name of a file set aside",
    "logs/writer.py": "a line says when it was",
    "proxy/certificates.py": "whether a certificate is still good",
    "runner/life.py": "when a process started, and when a probe was asked",
    "trust/authority.py": "whether the authority is still good",
    "trust/mint.py": "from when a certificate is good",
}
"""Who reads the wall clock, and for what. It may jump: nothing that waits is in this list."""

WAITS = {"sleep", "sleep_until", "fail_after", "move_on_after", "hold", "select", "poll"}


def wall(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="time"), attr="time" | "time_ns" | "localtime"):
            return True
        case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr="now" | "utcnow" | "today"):
            return True
        case ast.ImportFrom(module="time", names=names):
            return any(name.name in {"time", "time_ns", "localtime"} for name in names)
        case ast.Attribute(attr="CLOCK_REALTIME"):
            return True
    return False


def reads_wall_clock(tree: ast.AST) -> bool:
    return any(wall(node) for node in ast.walk(tree))


def test_nothing_that_waits_knows_the_wall_clock() -> None:
    files = {str(file.relative_to(SOURCES)): file for file in SOURCES.rglob("*.py")}
    trees = {name: ast.parse(file.read_text()) for name, file in files.items()}
    assert {name for name, tree in trees.items() if reads_wall_clock(tree)} == set(WALL)
    calls = (node for name in WALL for node in ast.walk(trees[name]) if isinstance(node, ast.Call))
    waits = [call for call in calls if getattr(call.func, "attr", "") in WAITS]
    assert [ast.unparse(call) for call in waits if reads_wall_clock(call)] == []


def test_a_wall_clock_that_jumps_costs_no_line_and_no_order(tmp_path: Path) -> None:
    noon, day = 1_700_000_000.0, 86_400.0
    now = [noon]
    path = tmp_path / "web.log"
    log = LogWriter(path, max_size=50_000, max_files=1, clock=lambda: now[0])
    for number, jump in enumerate([0, day, -day, -40 * day, 3600, 40 * day]):
        now[0] = noon + jump
        log.feed(f"line {number}\n".encode())
    log.close()
    found = logs.read({"web": path}, logs.Window()).lines
    assert [line.text for line in found] == [f"line {number}".encode() for number in range(6)]
    stamps = [line.stamp for line in found]
    assert stamps == sorted(stamps)


# Delays, by a clock that depends on nothing else.

leaping = pytest.mark.parametrize("anyio_backend", [LEAPING], ids=["leaping"])

DELAYS = [
    pytest.param(2.0, [1, 2, 4, 8, 16, 32, 60, 60], id="doubled"),
    pytest.param(1.5, [1, 1.5, 2.25, 3.375], id="half as much again"),
    pytest.param(1.0, [1, 1, 1], id="always the same"),
    pytest.param(0.0, [1, 0, 0], id="none after the first"),
    pytest.param(1e200, [1, 60, 60], id="absurd"),
]
each = pytest.mark.parametrize(("backoff", "delays"), DELAYS)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogWriter]:
    log = LogWriter(tmp_path / "web.log", max_size=1_000_000, max_files=1)
    yield log
    log.close()


def record(work: Work) -> dict[str, list[float]]:
    """Return when events of each kind happen, by the loop's clock."""
    at: dict[str, list[float]] = {}
    work.bus.listen(lambda event: at.setdefault(event["event"], []).append(anyio.current_time()))
    return at


@each
def test_a_restart_is_scheduled_after_its_delay(backoff: float, delays: list[float]) -> None:
    policy = Policy(backoff=backoff, max_restarts=len(delays))
    task, _ = step(Task(), Start(), policy)
    armed: list[float] = []
    while task.state is not State.FAILED:
        task, actions = step(task, Exited(task.epoch, 1), policy)
        armed += [a.after for a in actions if isinstance(a, Arm) and a.timer is Timer.RETRY]
        task, _ = step(task, TimerFired(task.epoch, Timer.RETRY), policy)
    assert armed == delays


@each
@leaping
async def test_a_restart_comes_after_its_delay(
    backoff: float, delays: list[float], log: LogWriter, tmp_path: Path
) -> None:
    policy = Policy(backoff=backoff, max_restarts=len(delays))
    work = Work(spec_of("exit 1", policy), log, Bus(tmp_path / "events.jsonl"))
    work.listen()
    at = record(work)
    async with anyio.create_task_group() as group:
        await group.start(work.runner.run)
        work.runner.ask(Start())
        await work.until(State.FAILED)
        group.cancel_scope.cancel()
    pairs = zip(at["restart_scheduled"], at["auto_restart"], strict=True)
    assert [end - begin for begin, end in pairs] == pytest.approx(delays, abs=1e-6)


@leaping
async def test_restarts_are_forgotten_after_a_minute_of_health(
    log: LogWriter, tmp_path: Path
) -> None:
    script = "echo >>tries; test $(wc -l <tries) -le 2 && exit 1; exec sleep 1000"
    work = Work(spec_of(script, health_interval=1000.0), log, Bus(tmp_path / "events.jsonl"))
    work.listen()
    async with anyio.create_task_group() as group:
        await group.start(work.runner.run)
        work.runner.ask(Start())
        await work.runner.wait_until(lambda task: task.attempt == 2)
        await work.until(State.RUNNING)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapingLoop)
        loop.over_the_living = True
        await anyio.sleep(59)
        assert work.task.attempt == 2
        await anyio.sleep(2)
        assert work.task.attempt == 0
        group.cancel_scope.cancel()


# A daemon that is stopped for a while, as by a laptop that is closed.

linux = pytest.mark.skipif(sys.platform != "linux", reason="opens FIFOs as only Linux lets one")

OFTEN = "health_interval = 0.05\nhealth_timeout = 0.5\nhealth_retries = 1\n"


class Check:
    """A health check that is answered by the test, and not before."""

    command = "echo asked >asked; read word <answer"

    def __init__(self, folder: Path) -> None:
        for name in ("asked", "answer"):
            os.mkfifo(folder / name)
        self._asked = os.open(folder / "asked", os.O_RDWR)
        self._answer = os.open(folder / "answer", os.O_RDWR)

    def await_asked(self) -> None:
        assert os.read(self._asked, 6) == b"asked\n"

    def answer(self) -> None:
        os.write(self._answer, b"well\n")

    def close(self) -> None:
        os.close(self._asked)
        os.close(self._answer)


@pytest.fixture
def check(site: Site) -> Iterator[Check]:
    check = Check(site.folder)
    yield check
    check.close()


def nap(site: Site, seconds: float) -> None:
    """Stop the daemon for a while, and let it go on."""
    pid = site.daemon_pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


@linux
@pytest.mark.parametrize("answered", ["asleep", "awake"])
def test_a_probe_that_we_slept_through_has_not_failed(
    answered: str, check: Check, site: Site
) -> None:
    table = f'[tasks.it]\ncommand = "exec sleep 1000"\nhealth_check = "{check.command}"\n'
    site.write(table + OFTEN.replace("0.5", "1"))
    assert site.ask("start", "--no-wait")["ok"]
    check.await_asked()
    check.answer()
    check.await_asked()
    pid = site.tasks()["it"]["pid"]
    if answered == "asleep":
        check.answer()
    nap(site, 2)
    if answered == "awake":
        # Well within the limit, had nobody slept; by the daemon's own clock, so that it has
        # had the time to be wrong.
        assert site.call("wait", "it", "--for", "exit", "--timeout", "0.2")[0] == 124
        check.answer()
    check.await_asked()
    task = site.tasks()["it"]
    assert (task["pid"], task["healthy"], task["events"]["health_failures"]) == (pid, True, 0)


@linux
def test_after_a_sleep_nothing_is_restarted_that_was_well(site: Site) -> None:
    tables = {
        "alive": 'command = "exec sleep 1000"\n',
        "check": 'command = "exec sleep 1000"\nhealth_check = "true"\n',
        "tcp": f'command = "exec {sys.executable} -m http.server $PORT"\nhost = "tcp"\n',
        "url": f'command = "exec {sys.executable} -m http.server $PORT"\n'
        'health_url = "http://127.0.0.1:$PORT/"\n',
    }
    crashing = '[tasks.crashes]\ncommand = "exit 1"\nrestart_backoff = 1\nmax_restarts = 100\n'
    site.write("".join(f"[tasks.{n}]\n{t}{OFTEN}" for n, t in tables.items()) + crashing)
    site.ask("start", "--no-wait")
    site.ask("wait", *tables, "--for", "ready", "--timeout", "30")
    before = {name: site.tasks()[name]["pid"] for name in tables}
    asleep = site.events()[-1]["seq"]
    nap(site, 3)
    first = site.await_event("auto_restart", after=asleep)
    second = site.await_event("auto_restart", after=first["seq"])
    after = site.tasks()
    assert {name: after[name]["pid"] for name in tables} == before
    later = [event for event in site.events() if asleep < event["seq"] <= second["seq"]]
    assert {event["task"] for event in later} == {"crashes"}
    # What was missed is not made up for: from one restart to the next it takes its second.
    kinds = ["auto_restart", "task_started", "task_exited", "restart_scheduled", "auto_restart"]
    assert [event["event"] for event in later][-5:] == kinds
