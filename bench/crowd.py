"""A hundred tasks that sleep: what it costs to start them, and to have them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from statistics import median

from . import cpu
from .daemon import Daemon, running
from .figure import Figure, at_most
from .rounds import compare
from .scale import Scale
from .shells import SLEEP, shells

TASKS = 100
SETTLING = 0.5
"""Seconds after the answer in which what it left to do later is done, and counted."""


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the cost of the start, to that of bare shells, then of idling."""
    tables = "".join(f'[tasks.task{n}]\ncommand = "{SLEEP}"\n' for n in range(TASKS))
    with running(tables) as daemon:
        found = compare(partial(_ours, daemon), _bare, scale.crowd_rounds, warm=True)
        yield Figure(
            subject=f"CPU of starting {TASKS} tasks, to `posix_spawn` of their shells",
            value=found.ratio,
            limit=at_most(3),
            ours=f"{median(found.ours) * 1000:.0f} ms",
            bare=f"{median(found.bare) * 1000:.0f} ms",
            spread=found.spread,
        )
        yield from _idle(daemon, scale.idle)


def _ours(daemon: Daemon) -> float:
    """Return the cost of a start: the daemon's, and all that the shells cost until they end."""
    own, theirs = cpu.of_process(daemon.process), cpu.of_its_children(daemon.process)
    daemon.start()
    time.sleep(SETTLING)
    spent = cpu.of_process(daemon.process) - own
    daemon.kill()
    return spent + cpu.of_its_children(daemon.process) - theirs


def _bare() -> float:
    own, theirs = time.process_time(), cpu.of_our_children()
    with shells(TASKS):
        spent = time.process_time() - own
        time.sleep(SETTLING)
    return spent + cpu.of_our_children() - theirs


def _idle(daemon: Daemon, seconds: float) -> Iterator[Figure]:
    daemon.start()
    time.sleep(2)
    before, began = cpu.of_process(daemon.process), time.perf_counter()
    time.sleep(seconds)
    spent = cpu.of_process(daemon.process) - before
    share = spent / (time.perf_counter() - began)
    yield Figure(
        subject=f"CPU of the daemon while {TASKS} tasks sleep for {seconds:.0f} s, of a core",
        value=share * 100,
        limit=at_most(1),
        unit="%",
    )
    yield Figure(
        subject="… and its memory",
        value=daemon.process.memory_info().rss / 1e6,
        limit=at_most(80),
        unit="MB",
    )
