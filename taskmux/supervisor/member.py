"""One task of a crew."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
from anyio import CancelScope

from taskmux.lifecycle import RESTING, State, Task
from taskmux.processes import boot_id
from taskmux.runner import Runner
from taskmux.store import Child, Memory, environ_key

from .carried import CarriedMember, Origin


class Member:
    """One task with its runner, and what is remembered of it between two runs of the daemon."""

    def __init__(self, runner: Runner, port: int, memory: Memory) -> None:
        self.name = runner.spec.name
        self.runner = runner
        self.port = port
        self.run = memory.run
        self.wear({})
        self.status = memory.status
        self.counts = {"task_started": 0, "auto_restart": 0, "health_check_failed": 0}
        self.scope = CancelScope()
        """Its runner's work."""

        self.gone = anyio.Event()
        self.spared: frozenset[str] = frozenset()
        """Dependencies that its next start does not wait for."""

        self.origin: Origin | None = None
        """What its process was started from, while that is outdated."""

    def wear(self, environ: Mapping[str, str]) -> None:
        """Take the caller's environment for the processes to come."""
        self.environ = environ
        self.environ_key = environ_key(environ)

    @property
    def task(self) -> Task:
        """The task as `lifecycle` sees it."""
        return self.runner.task

    @property
    def exit_status(self) -> int | None:
        """How its newest process ended, in this life of the daemon or an earlier one."""
        return self.status if self.runner.status is None else self.runner.status

    def memory(self) -> Memory:
        """Return what the next daemon should know."""
        life = self.runner.life
        child = None
        if life is not None:
            child = Child(life.pid, life.child.started, boot_id(), life.outfit.run_id)
        return Memory(
            state=self.task.state,
            reason=self.task.reason,
            wanted=self.task.wanted,
            run=self.run,
            port=self.port,
            status=self.exit_status,
            environ=self.environ_key if self.environ else None,
            child=child,
        )

    def carry(self) -> CarriedMember:
        """Return what is known of it beside its memory."""
        origin = self.origin if self.runner.outdated else None
        return CarriedMember(self.runner.carry(), self.counts, origin, tuple(self.spared))

    def take_over(self, carried: CarriedMember) -> None:
        """Go on with what `carry` returned, as far as it is not the runner's."""
        self.counts |= carried.counts
        self.origin = carried.origin
        self.spared = frozenset(carried.spared)


def recalled(memory: Memory) -> Task:
    """Return a task as far as it is remembered: what was up is down now."""
    state = State(memory.state) if memory.state in set(State) else State.STOPPED
    if state in RESTING:
        return Task(state=state, wanted=memory.wanted, reason=memory.reason)
    return Task(reason=f"was {state} when the daemon ended")
