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


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how long 99 of 100 requests take at most, to what they take when all is quiet."""
    tables = (
        f'[tasks.flood]\ncommand = {toml(writer(ENDLESS))}\n[tasks.calm]\ncommand = "{SLEEP}"\n'
    )
    with running(tables) as daemon:
        daemon.start("calm")
        found = compare(
            partial(_flooded, daemon, scale.requests),
            partial(_slowest, daemon, scale.requests),
            scale.request_rounds,
        )
    yield Figure(
        subject="p99 of `status` requests while a task floods, to a quiet moment",
        value=found.ratio,
        ours=f"{median(found.ours) * 1000:.1f} ms",
        bare=f"{median(found.bare) * 1000:.1f} ms",
        spread=found.spread,
    )
    added = [(ours - bare) * 1000 for ours, bare in zip(found.ours, found.bare, strict=True)]
    yield Figure(
        subject="… what the flood adds to it",
        value=median(added),
        limit=at_most(50),
        spread=(min(added), max(added)),
        unit="ms",
    )


def _flooded(daemon: Daemon, requests: int) -> float:
    daemon.start("flood")
    try:
        return _slowest(daemon, requests)
    finally:
        daemon.client.kill(wire.Kill(config=daemon.config, task="flood"))


def _slowest(daemon: Daemon, requests: int) -> float:
    return percentile([_request(daemon) for _ in range(requests)], 0.99)


def _request(daemon: Daemon) -> float:
    began = time.perf_counter()
    daemon.client.status(wire.Status(config=daemon.config))
    return time.perf_counter() - began
