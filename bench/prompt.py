"""How long a request waits for its answer while a task floods, next to a quiet moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from statistics import median

from taskmux import wire

from .daemon import Daemon, running
from .figure import Figure, at_most
from .flood import toml, writer
from .rounds import compare, percentile
from .scale import Scale
from .shells import SLEEP

ENDLESS = 2_000_000_000
FLOODS = {"floods": writer(ENDLESS), "prints a line at a time": "while :; do echo line; done"}
"""As much as goes through a terminal, and as many reads."""


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how long 99 of 100 requests take at most, to what they take when all is quiet."""
    tables = "".join(
        f"[tasks.flood{number}]\ncommand = {toml(command)}\n"
        for number, command in enumerate(FLOODS.values())
    )
    with running(f'{tables}[tasks.calm]\ncommand = "{SLEEP}"\n') as daemon:
        daemon.start("calm")
        for number, what in enumerate(FLOODS):
            yield from _next_to(daemon, f"flood{number}", what, scale)


def _next_to(daemon: Daemon, task: str, what: str, scale: Scale) -> Iterator[Figure]:
    found = compare(
        partial(_flooded, daemon, task, scale.requests),
        partial(_slowest, daemon, scale.requests),
        scale.request_rounds,
    )
    yield Figure(
        subject=f"p99 of `status` requests while a task {what}, to a quiet moment",
        value=found.ratio,
        ours=f"{median(found.ours) * 1000:.1f} ms",
        bare=f"{median(found.bare) * 1000:.1f} ms",
        spread=found.spread,
    )
    added = [(ours - bare) * 1000 for ours, bare in zip(found.ours, found.bare, strict=True)]
    yield Figure(
        subject="… what that adds to it",
        value=median(added),
        limit=at_most(50),
        spread=(min(added), max(added)),
        unit="ms",
    )


def _flooded(daemon: Daemon, task: str, requests: int) -> float:
    daemon.start(task)
    try:
        return _slowest(daemon, requests)
    finally:
        daemon.client.kill(wire.Kill(config=daemon.config, task=task))


def _slowest(daemon: Daemon, requests: int) -> float:
    return percentile([_request(daemon) for _ in range(requests)], 0.99)


def _request(daemon: Daemon) -> float:
    began = time.perf_counter()
    daemon.client.status(wire.Status(config=daemon.config))
    return time.perf_counter() - began
