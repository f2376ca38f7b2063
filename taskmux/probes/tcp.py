"""A task with a host is well when its port accepts a connection."""

from __future__ import annotations

import time
from contextlib import suppress

from anyio import connect_tcp

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.scarcity import scarce

from .elsewhere import Clock, Whereabouts
from .named import check_named
from .words import LOOPBACK, describe


class TcpProbe:
    """Connects to the task's own port and hangs up. `clock` returns seconds that only grow."""

    name = "tcp"
    summary = "Well when the task's $PORT accepts a connection; for tasks with a host."
    rank = 80

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock

    def applies(self, task: TaskFacts) -> bool:
        """Return whether the task has a host; one without may ask for this probe by name."""
        check_named(task, self.name)
        return task.host is not None

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what connects once, to IPv4 first."""
        whereabouts = Whereabouts(target, self._clock)

        async def ask() -> ProbeResult:
            try:
                await _connect(target.port)
            except OSError as error:
                if scarce(error):
                    raise
                return ProbeResult(False, await whereabouts.explain(describe(error)))
            return ProbeResult(True, f"port {target.port} accepts connections")

        return ask


async def _connect(port: int) -> None:
    ipv4, ipv6 = LOOPBACK
    try:
        await _knock(ipv4, port)
    except OSError:
        with suppress(OSError):  # a machine without IPv6 has nothing better to say
            return await _knock(ipv6, port)
        raise


async def _knock(address: str, port: int) -> None:
    stream = await connect_tcp(address, port)
    await stream.aclose()
