"""One process of a task, from its spawn to the last byte it printed."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
from anyio import CancelScope, create_task_group, move_on_after

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, ShellRun
from taskmux.errors import PluginFailed
from taskmux.lifecycle import Urge, describe_exit
from taskmux.logs import OURS, LogWriter, run_started
from taskmux.plugins import guarded
from taskmux.processes import Child, Listeners, Terminal, Trace, end, run_shell, spawn
from taskmux.when import rfc3339

from .outfit import Outfit, Spec

DRAIN_LIMIT = 5.0
"""How long output is waited for once nothing of the task lives any more."""

FIRST_PAUSE = 0.05
"""The pause between the first probes of a process that is not ready yet."""


@dataclass(frozen=True, slots=True)
class Health:
    """One answer of a task's probe."""

    ok: bool
    method: str
    reason: str
    at: str


Heard = Callable[[Health], None]


class Life:
    """Owns one process: nothing of it is left when `live` returns, however it returns."""

    def __init__(self, spec: Spec, outfit: Outfit, log: LogWriter) -> None:
        self.outfit = outfit
        self.started_at = datetime.now(UTC)
        self.ended = False
        """The process is dead; what it left behind may still be looked for."""

        self.survivors: list[int] = []
        """Processes that could not be ended; empty unless the kernel holds them."""

        self._spec = spec
        self._log = log
        self._draining = CancelScope(shield=True)
        self._drained = anyio.Event()
        self._watching = CancelScope()
        self._terminal = Terminal.open()
        # Before there is a process: what it prints first may be what is waited for.
        self._printed = anyio.Event()
        self._forget = log.tap(self._look) if spec.ready_log is not None else lambda: None
        try:
            self.child: Child = spawn(
                spec.command, cwd=spec.cwd, environ=outfit.environ, terminal=self._terminal
            )
        except BaseException:
            self._forget()
            self._terminal.close()
            raise
        self._terminal.release_slave()
        log.note(run_started(outfit.run, self.child.pid))

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
            with move_on_after(DRAIN_LIMIT):
                await self._drained.wait()
        finally:
            self._draining.cancel()

    async def _drain(self) -> None:
        # Shielded: cancelled with its group, it would leave the last output unread.
        with self._draining:
            await self._terminal.drain(self._log.feed, self._log.flush)
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
        ready = False
        if spec.ready_log is not None:
            await self._printed.wait()
            self._forget()
            heard(self._health("ready_log", ProbeResult(True, "printed what ready_log waits for")))
            ready = True
            await anyio.sleep(spec.health_interval)
        while True:
            result = await self._ask(ask)
            heard(self._health(spec.probe.name, result))
            ready = ready or result.ok
            elapsed = time.monotonic() - began
            await anyio.sleep(spec.health_interval if ready else pause(elapsed, spec))

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

    async def _ask(self, ask: Probe) -> ProbeResult:
        try:
            async with guarded(self._spec.probe.name, "answer", self._spec.facts.health_timeout):
                result = await ask()
                return ProbeResult(bool(result.ok), str(result.detail))
        except PluginFailed as failure:
            late = isinstance(failure.__cause__, TimeoutError)
            return ProbeResult(False, (late and str(failure.__cause__)) or str(failure))

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


def pause(elapsed: float, spec: Spec) -> float:
    """Return how long to wait before the next probe of a process that is not ready yet.

    A tenth of the time it has had: whoever starts in a minute is found ready
    within six seconds, and nobody is asked a thousand times.
    """
    return min(max(FIRST_PAUSE, elapsed / 10), spec.health_interval)
