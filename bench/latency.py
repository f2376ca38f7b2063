"""How soon a task starts once what it waits for is ready, next to making a shell at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from statistics import mean, median

from taskmux import wire

from .daemon import Daemon, running
from .figure import Figure
from .rounds import compare
from .scale import Scale
from .shells import SLEEP, shells

CHAIN = 10
FAN = 20


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the delay in a chain of tasks, and until the last of many that wait for one."""
    yield from _shape(
        f"a chain of {CHAIN}: a task starts after its dependency is ready",
        {n: n - 1 for n in range(CHAIN)},
        mean,
        scale,
    )
    yield from _shape(
        f"a fan of {FAN}: the last one starts after their dependency is ready",
        {n: 0 if n else -1 for n in range(FAN + 1)},
        max,
        scale,
    )


def _shape(
    what: str,
    needs: dict[int, int],
    join: Callable[[list[float]], float],
    scale: Scale,
) -> Iterator[Figure]:
    """Yield the figure of one shape; `needs` names each task's dependency, below 0 for none."""
    worst: list[float] = []
    count = 1 if join is mean else len(needs) - 1
    with running("".join(_table(n, need) for n, need in needs.items())) as daemon:
        found = compare(
            partial(_ours, daemon, needs, join, worst), partial(_bare, count), scale.latency_rounds
        )
    yield Figure(
        subject=f"{what}, to making the shells",
        value=found.ratio,
        ours=f"{median(found.ours) * 1000:.1f} ms",
        bare=f"{median(found.bare) * 1000:.1f} ms",
        spread=found.spread,
    )
    yield Figure(subject="… the slowest of all", value=max(worst) * 1000, unit="ms")


def _table(number: int, need: int) -> str:
    depends = f'depends_on = ["task{need}"]\n' if need >= 0 else ""
    return f'[tasks.task{number}]\ncommand = "{SLEEP}"\n{depends}'


def _ours(
    daemon: Daemon,
    needs: dict[int, int],
    join: Callable[[list[float]], float],
    worst: list[float],
) -> float:
    before = daemon.client.events(wire.Events()).next
    daemon.start()
    events = daemon.client.events(wire.Events(after=before)).events
    daemon.kill()
    ready = _times(events, "task_ready")
    started = _times(events, "task_started")
    delays = [started[f"task{n}"] - ready[f"task{need}"] for n, need in needs.items() if need >= 0]
    worst.append(max(delays))
    return join(delays)


def _times(events: list[dict[str, str]], kind: str) -> dict[str, float]:
    return {
        event["task"]: datetime.fromisoformat(event["ts"]).timestamp()
        for event in events
        if event["event"] == kind
    }


def _bare(count: int) -> float:
    began = time.perf_counter()
    with shells(count):
        return time.perf_counter() - began
