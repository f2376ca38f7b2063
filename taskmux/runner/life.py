"""One process of a task, from its spawn to the last byte it printed."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import anyio
from anyio import CancelScope, create_task_group

from taskmux.awake import Vigil
from taskmux.contracts import Probe, ProbeResult, ProbeTarget, ShellRun
from taskmux.errors import PluginFailed
from taskmux.lifecycle import Urge, describe_exit
from taskmux.logs import OURS, LogWriter, run_started
from taskmux.plugins import encodable, guarded
from taskmux.processes import Child, Listeners, Terminal, Trace, end, run_shell, spawn
from taskmux.scarcity import described, scarce
from taskmux.when import rfc3339

from .carried import CarriedLife, Health
from .outfit import Outfit, Spec

DRAIN_LIMIT = 5.0
"""How long output is waited for once nothing of the task lives any more."""

FIRST_PAUSE = 0.05
"""The pause between the first probes of a process that is not ready yet."""


Heard = Callable[[Health], None]


class Life:
    """Owns one process: nothing of it is left when `live` returns, however it returns."""

    child: Child
    started_at: datetime

    def __init__(
        self, spec: Spec, outfit: Outfit, log: LogWriter, terminal: Terminal, *, ready: bool
    ) -> None:
        """See `begin` and `take_over`."""
        self.outfit = outfit
        self.ended = False
        """The process is dead; what it left behind may still be looked for."""

        self.survivors: list[int] = []
        """Processes that could not be ended; empty unless the kernel holds them."""

        self._spec = spec
        self._log = log
        self._draining = CancelScope(shield=True)
        self._drained = anyio.Event()
        self._watching = CancelScope()
        self._terminal = terminal
        self._ready = ready
        self._printed = anyio.Event()
        awaits_line = spec.ready_log is not None and not ready
        self._forget = log.tap(self._look) if awaits_line else lambda: None

    @classmethod
    def begin(cls, spec: Spec, outfit: Outfit, log: LogWriter) -> Life:
        """Start the process. Raise `NoFolder`, or another `OSError`."""
        terminal = Terminal.open()
        # Before there is a process: what it prints first may be what is waited for.
        life = cls(spec, outfit, log, terminal, ready=False)
        try:
            life.started_at = datetime.now(UTC)
            life.child = spawn(
                spec.command, cwd=spec.cwd, environ=outfit.environ, terminal=terminal
            )
        except BaseException:
            life._forget()
            terminal.close()
            raise
        log.note(run_started(outfit.run, life.child.pid))
        return life

    @classmethod
    def take_over(cls, spec: Spec, log: LogWriter, carried: CarriedLife) -> Life:
        """Go on with a process of ours that was started before; raise `OSError` if it is none."""
        life = cls(spec, carried.outfit, log, Terminal(carried.terminal), ready=carried.ready)
        life.started_at = carried.started_at
        life.child = Child(carried.pid, carried.outfit.run_id)
        return life

    def carry(self) -> CarriedLife:
        """Return what it takes to go on with it in another program of this process."""
        return CarriedLife(
            self.pid, self._terminal.master, self.outfit, self.started_at, self._ready
        )

    @property
    def pid(self) -> int:
        """The leader of the task's session."""
        return self.child.pid

    @property
    def trace(self) -> Trace:
        """What everything that belongs to this life can be told by."""
        return Trace(self.outfit.run_id, self.child.pid, self.child.started)

    def signal(self, urge: Urge) -> None:
        """Send the signal to the task's process group."""
        self.child.signal(signal.Signals[urge])

    async def live(self, heard: Heard, ended: Callable[[], None]) -> int:
        """Keep output and probe going until the process ends; return how it ended.

        `heard` gets every answer of the probe, as it comes. `ended` is called as
        soon as the process is dead, while what it left behind is still looked for.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self._forget)
            stack.callback(self._terminal.close)
            stack.callback(self.child.reap)
            group = await stack.enter_async_context(create_task_group())
            group.start_soon(self._drain)
            group.start_soon(self._watch, heard)
            try:
                status = await self.child.exited()
                self.ended = True
                ended()
            finally:
                with CancelScope(shield=True):
                    await self._clear()
            group.cancel_scope.cancel()
        self._log.note(describe_exit(status))
        return status

    async def _clear(self) -> None:
        # First of all, so that no probe speaks well of a process that is dead.
        self._watching.cancel()
        # The leader is not reaped yet: neither its pid nor its group can be another's.
        self.child.signal(signal.SIGKILL)
        try:
            self.survivors = await end(self.trace)
            with suppress(TimeoutError):
                await Vigil().hold(DRAIN_LIMIT, self._drained.wait)
        finally:
            self._draining.cancel()

    async def _drain(self) -> None:
        # Shielded: cancelled with its group, it would leave the last output unread.
        with self._draining:
            feed, flush = self._log.feed, self._log.flush
            await self._terminal.drain(feed, flush, begun=self._log.pending)
        self._log.flush()
        self._drained.set()

    async def _watch(self, heard: Heard) -> None:
        def in_time(health: Health) -> None:
            # An answer may be here already when the process ends: then it counts no more.
            if not self._watching.cancel_called:
                heard(health)

        with self._watching:
            await self._probe(in_time)

    async def _probe(self, heard: Heard) -> None:
        spec, ask = self._spec, await self._prepared()
        began = time.monotonic()
        if self._ready:  # as it was taken over; a probe may have to get to know it anew
            await anyio.sleep(spec.health_interval)
        elif spec.ready_log is not None:
            await self._printed.wait()
            self._forget()
            heard(self._health("ready_log", ProbeResult(True, "printed what ready_log waits for")))
            self._ready = True
            await anyio.sleep(spec.health_interval)
        while True:
            health = await self._ask(ask)
            heard(health)
            self._ready = self._ready or bool(health.ok)
            elapsed = time.monotonic() - began
            await anyio.sleep(spec.health_interval if self._ready else pause(elapsed, spec))

    def _health(self, method: str, result: ProbeResult) -> Health:
        return Health(result.ok, method, result.detail, rfc3339(datetime.now(UTC)))

    async def _prepared(self) -> Probe:
        probe = self._spec.probe
        try:
            async with guarded(probe.name, "prepare"):
                return probe.prepare(self._target())
        except PluginFailed as failure:
            never = ProbeResult(False, str(failure))

        async def ask() -> ProbeResult:
            return never

        return ask

    async def _ask(self, ask: Probe) -> Health:
        vigil = Vigil()
        health = await self._asked(ask, vigil)
        if health.ok is False and vigil.slept:
            # Whoever was stopped while it asked has heard nothing worth counting.
            health = await self._asked(ask, Vigil())
        return health

    async def _asked(self, ask: Probe, vigil: Vigil) -> Health:
        name = self._spec.probe.name
        try:
            async with guarded(name, "answer", inf):
                result = await vigil.hold(self._spec.facts.health_timeout, ask)
                return self._health(name, ProbeResult(bool(result.ok), encodable(result.detail)))
        except PluginFailed as failure:
            health = self._health(name, ProbeResult(False, _why(failure)))
            return replace(health, ok=None) if scarce(failure) else health

    def _look(self, stamp: bytes, line: bytes) -> None:
        pattern = self._spec.ready_log
        if pattern is not None and not line.startswith(OURS) and pattern.found_in(line):
            self._printed.set()

    def _target(self) -> ProbeTarget:
        return ProbeTarget(
            task=self._spec.facts,
            port=self.outfit.port,
            pid=self.pid,
            cwd=self._spec.cwd,
            environ=self.outfit.environ,
            run=self._run,
            listening=Listeners(self.trace).ports,
        )

    async def _run(self, command: str) -> ShellRun:
        return await run_shell(command, cwd=self._spec.cwd, environ=self.outfit.environ)


def _why(failure: PluginFailed) -> str:
    cause = failure.__cause__
    if isinstance(cause, OSError) and scarce(cause):
        return described(cause)
    late = isinstance(cause, TimeoutError)
    return (late and str(cause)) or str(failure)


def pause(elapsed: float, spec: Spec) -> float:
    """Return how long to wait before the next probe of a process that is not ready yet.

    A tenth of the time it has had: whoever starts in a minute is found ready
    within six seconds, and nobody is asked a thousand times.
    """
    return min(max(FIRST_PAUSE, elapsed / 10), spec.health_interval)
