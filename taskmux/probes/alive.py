"""The last resort: a process that has not ended is well."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.threads import in_thread_or_here

from .named import check_named
from .shell import idle_shell

BRIEF = 0.1
"""Seconds in which a command that cannot start at all has usually ended."""

LONG = 1.0
"""Seconds after which a shell that has run no program is one that needs none: `read`, a loop."""


class AliveProbe:
    """Well as soon as the process has outlived its first moment. The exit itself is not asked for.

    The moment lasts until the shell has found a program to run, however busy
    the machine is: a command that does not exist never is well. `clock` returns
    seconds that only grow; `idle` says whether a shell has not run anything yet.
    """

    name = "alive"
    summary = "Well while the process lives; for tasks that nothing else applies to."
    rank = 90

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        idle: Callable[[int], bool] = idle_shell,
    ) -> None:
        self._clock = clock
        self._idle = idle

    def applies(self, task: TaskFacts) -> bool:
        """Return True: every task has a process."""
        check_named(task, self.name)
        return True

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what says `just started` for a moment, and is content from then on."""
        born = self._clock()

        async def ask() -> ProbeResult:
            age = self._clock() - born
            if age < BRIEF or (
                age < LONG and await in_thread_or_here(partial(self._idle, target.pid))
            ):
                return ProbeResult(False, "just started")
            return ProbeResult(True, "the process is alive")

        return ask
