"""A thousand tasks of fifty projects: what each costs, next to what each of a hundred does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from taskmux import wire

from . import cpu
from .daemon import Daemon, running
from .figure import Figure, at_most
from .scale import Scale
from .shells import SLEEP

EACH = 20
"""Tasks of a project."""

FEW = 5
"""Projects that others are compared with."""

ASKED = 500
"""So many projects are reported on: the kernel counts in hundredths of a second."""

AT_ONCE = 5
"""Projects that are started, or stopped, at the same time: as many as there are few."""

SETTLING = 0.5
"""Seconds after an answer in which what it left to do later is done, and counted."""

REST = 10.0
"""Seconds for which nothing is asked."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the daemon spent: seconds of processor time for each task, unless said otherwise."""

    start: float
    stop: float
    status: float
    """One answer about all projects."""

    idle: float
    """A share of a core."""

    memory: float
    """Bytes resident with everything at work."""


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how the cost of a task grows with their number."""
    few, many = _estate(FEW), _estate(scale.estate)
    tasks = scale.estate * EACH
    whole = f"{tasks:,} tasks of {scale.estate} projects"
    yield _growth(f"CPU a task of starting {whole}, to that of {FEW * EACH}", few.start, many.start)
    yield _growth("… of stopping them", few.stop, many.stop)
    yield _growth("… of one `status` of all", few.status, many.status)
    yield Figure(
        subject=f"CPU of the daemon while they sleep for {REST:.0f} s, of a core",
        value=many.idle * 100,
        limit=at_most(2),
        unit="%",
    )
    yield Figure(
        subject="its memory for each task more",
        value=(many.memory - few.memory) / (tasks - FEW * EACH) / 1000,
        limit=at_most(100),
        unit="kB",
    )


def _growth(subject: str, few: float, many: float) -> Figure:
    return Figure(
        subject=subject,
        value=many / few,
        limit=at_most(1.5),
        ours=f"{many * 1000:.2f} ms",
        bare=f"{few * 1000:.2f} ms",
    )


def _estate(projects: int) -> Cost:
    with running(f'[tasks.one]\ncommand = "{SLEEP}"\n') as daemon:
        configs = [_project(daemon.folder.with_name(f"p{n}")) for n in range(projects)]
        for config in configs:
            daemon.client.register(wire.Register(config=config))
        tasks = projects * EACH
        start = _spent(daemon, lambda: _start(daemon, configs)) / tasks
        memory = daemon.process.memory_info().rss
        idle = _spent(daemon, lambda: time.sleep(REST), settling=0) / REST
        asks = ASKED // projects
        status = _spent(daemon, lambda: _ask(daemon, asks), settling=0) / asks / tasks
        stop = _spent(daemon, lambda: _stop(daemon, configs)) / tasks
    return Cost(start, stop, status, idle, memory)


def _project(folder: Path) -> str:
    folder.mkdir()
    tables = "".join(f'[tasks.t{n}]\ncommand = "{SLEEP}"\n' for n in range(EACH))
    config = folder / "taskmux.toml"
    config.write_text(f'name = "{folder.name}"\n{tables}')
    return str(config)


def _start(daemon: Daemon, configs: list[str]) -> None:
    def start(config: str) -> bool:
        request = wire.StartTasks(config=config, environ=dict(os.environ), wait=True, timeout=60)
        return daemon.client.start(request).ok

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert all(pool.map(start, configs))


def _ask(daemon: Daemon, times: int) -> None:
    for _ in range(times):
        daemon.client.status_all()


def _stop(daemon: Daemon, configs: list[str]) -> None:
    def stop(config: str) -> bool:
        return daemon.client.stop(wire.StopTasks(config=config)).ok

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert all(pool.map(stop, configs))


def _spent(daemon: Daemon, work: Callable[[], object], settling: float = SETTLING) -> float:
    before = cpu.of_process(daemon.process)
    work()
    time.sleep(settling)
    return cpu.of_process(daemon.process) - before
