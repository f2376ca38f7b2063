"""Carries out what is asked of a project's tasks, in the order their dependencies allow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio
from anyio import CancelScope, create_task_group
from anyio.abc import TaskGroup

from taskmux import graph
from taskmux.errors import AlreadyRunning, NotRunning, TaskmuxError, UnknownSession
from taskmux.lifecycle import RESTING, Start, State, Stop, Task
from taskmux.project import ProjectConfig
from taskmux.runner import Runner
from taskmux.store import Memory
from taskmux.undertaking import Cut, Undertakings
from taskmux.wire import ActionReport

from . import outcome
from .carried import CarriedProject
from .crew import Crew
from .ledger import Ledger, recall
from .services import Services
from .starting import until_settled
from .stopping import Stopped, stop_in_order
from .verdicts import up

Outcome = TypeVar("Outcome")


class Supervisor:
    """One project's tasks. Nothing of them outlives the context `open` returns.

    Whoever asks for something and goes away ends the waiting, not the work.
    """

    def __init__(self, session: str, folder: Path, services: Services, tasks: TaskGroup) -> None:
        self.session = session
        self._services = services
        self._tasks = tasks
        self._undertakings = Undertakings(tasks)
        self._ledger = Ledger(session, services)
        self._turning: dict[str, anyio.Event] = {}
        """The newest restart of each task; set once it has come to the task's start."""

        self.crew = Crew(session, folder, services, self._ledger.note_change)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        session: str,
        folder: Path,
        config: ProjectConfig,
        services: Services,
        carried: CarriedProject | None = None,
    ) -> AsyncIterator[Self]:
        """Bring the project to where it was left, yield it, and stop every task of it.

        What was `carried` goes on as it is. Raises what is wrong with `config` and
        shows only when it is carried out.
        """
        past = await recall(session, services) if carried is None else carried
        refused: TaskmuxError | None = None
        async with create_task_group() as group:
            supervisor = cls(session, folder, services, group)
            try:
                await supervisor.crew.adopt(config, group, past.memory.tasks, past.members)
            except TaskmuxError as error:  # raised below: here it would become a group
                refused = error
                group.cancel_scope.cancel()
            else:
                async with supervisor._at_work(past):
                    yield supervisor
        if refused is not None:
            raise refused

    @asynccontextmanager
    async def _at_work(self, past: CarriedProject) -> AsyncIterator[None]:
        self._resume(past)
        self._tasks.start_soon(self._ledger.keep, self.crew)
        self._tasks.start_soon(self.crew.keep_logs)
        try:
            yield
        finally:
            with CancelScope(shield=True):
                await self.shut_down()
            self._tasks.cancel_scope.cancel()

    async def apply(self, config: ProjectConfig, folder: Path | None = None) -> list[str]:
        """Take a new taskmux.toml, or another folder's; return the tasks to restart for it."""
        return await self.crew.move(folder or self.crew.folder, config, self._tasks)

    async def start(
        self,
        names: Iterable[str],
        environ: Mapping[str, str] | None = None,
        *,
        if_stopped: bool = False,
        wait: bool = True,
        limit: float | None = None,
        begun: bool = False,
    ) -> list[ActionReport]:
        """Start tasks and what they need; without names, all that start by themselves.

        What was `begun`, before a restart of the daemon, is only waited for.
        """
        named = self.crew.known(names)
        chosen = named or self._automatic()
        begin = partial(self._begin, chosen, named, environ, if_stopped=if_stopped)
        before, wishes = dict.fromkeys(chosen, Task()), self._wishes(chosen)
        if not begun:
            before, wishes = await self._see_through(begin)
        if wait:
            await until_settled(self._runners(chosen), limit)
        return [
            outcome.of_start(name, self.crew[name].runner, before[name], named, wait, wishes[name])
            for name in chosen
        ]

    async def stop(self, names: Iterable[str], *, kill: bool = False) -> list[ActionReport]:
        """Stop tasks, dependents first; without names, all. Return when nothing is left of them."""
        named = self.crew.known(names)
        chosen = named or list(self.crew)
        if kill and len(named) == 1 and self.crew[named[0]].task.state in RESTING:
            raise NotRunning(named[0], self.crew[named[0]].task.state)
        stop = partial(self._stop, chosen, Stop(kill=kill))
        stopped = await self._see_through(stop)
        if not named:
            self._services.bus.publish("session_stopped", self.session)
        return [stopped[name].report for name in chosen]

    async def restart(
        self,
        names: Iterable[str],
        environ: Mapping[str, str] | None = None,
        *,
        wait: bool = True,
        limit: float | None = None,
        begun: bool = False,
    ) -> list[ActionReport]:
        """Stop tasks and start them afresh; without names, all that are up or start themselves.

        What was `begun`, before a restart of the daemon, is only waited for.
        """
        named = self.crew.known(names)
        automatic = set(self._automatic())
        chosen = named or [n for n in self.crew if n in automatic or up(self.crew[n].task)]
        cycle = partial(self._cycle, chosen, environ)
        stopped, wishes = dict[str, Stopped](), self._wishes(chosen)
        if not begun:
            stopped, wishes = await self._see_through(cycle)
        if wait:
            await until_settled(self._runners(wishes), limit)
        return [
            outcome.of_restart(name, self.crew[name].runner, wait, wishes[name])
            if name in wishes
            else stopped[name].report
            for name in chosen
        ]

    async def shut_down(self, *, resume: bool = False) -> None:
        """Stop every task, whatever its hooks say; with `resume`, the next daemon starts them."""
        if resume:
            self._ledger.mark_resuming(self.crew)
        await self._stop(list(self.crew), Stop(final=True))
        self._ledger.save(self.crew)

    @property
    def portable(self) -> bool:
        """Whether `carry` would carry all that goes on now."""
        runners = [self.crew[name].runner for name in self.crew]
        return not self._undertakings.busy and all(runner.portable for runner in runners)

    async def settle(self) -> None:
        """Wait for what keeps the project from being portable now; something else may, then."""
        await self._undertakings.settle()
        for member in tuple(self.crew.members.values()):
            await member.runner.settle()

    def carry(self) -> CarriedProject:
        """Return what it takes to go on with the project in another program of this process."""
        members = {name: self.crew[name].carry() for name in self.crew}
        return CarriedProject(self.crew.config.text, self._ledger.known(self.crew), members)

    def rename(self, session: str) -> None:
        """Go by another name, under which the project's folder is already."""
        self.session = session
        self._ledger.rename(session)
        self.crew.rename(session)

    @property
    def unsaved(self) -> str | None:
        """Why what is known of the tasks could not be written down; None if it could."""
        return self._ledger.unsaved

    def remember(self) -> None:
        """Write down what changed; a command is about to be acknowledged."""
        self._ledger.settle(self.crew)

    async def _see_through(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        try:
            return await self._undertakings.see_through(work)
        except Cut:  # it was ended while that was done
            raise UnknownSession(self.session) from None

    async def _begin(
        self,
        chosen: list[str],
        named: list[str],
        environ: Mapping[str, str] | None,
        *,
        if_stopped: bool,
    ) -> tuple[dict[str, Task], dict[str, int]]:
        """Start what `chosen` need; return how those were before, and their wishes' numbers."""
        await self.crew.clear_ports(graph.needed(self.crew.graph, chosen))
        needed = graph.needed(self.crew.graph, self.crew.known(chosen))  # by now
        before = {name: self.crew[name].task for name in chosen}
        if len(named) == 1 and not if_stopped and up(before[named[0]]):
            raise AlreadyRunning(named[0], before[named[0]].state)
        if not named:
            self._services.bus.publish("session_started", self.session)
        self._start(needed, named, environ)
        return before, self._wishes(chosen)

    def _wishes(self, names: Iterable[str]) -> dict[str, int]:
        return {name: self.crew[name].runner.wishes for name in names}

    def _start(self, names: list[str], named: list[str], environ: Mapping[str, str] | None) -> None:
        # All wishes are known before anybody looks at a dependency.
        for name in names:
            member = self.crew[name]
            done = member.task.state is State.COMPLETED and name not in named
            if not up(member.task) and not done:
                if environ is not None:
                    member.wear(environ)
                member.runner.ask(Start())

    async def _stop(self, names: list[str], wish: Stop) -> dict[str, Stopped]:
        return await stop_in_order(self._runners(names), self.crew.graph, wish)

    def _runners(self, names: Iterable[str]) -> dict[str, Runner]:
        return {name: self.crew[name].runner for name in names}

    async def _cycle(
        self, names: list[str], environ: Mapping[str, str] | None
    ) -> tuple[dict[str, Stopped], dict[str, int]]:
        """Stop tasks and have them start again; return how they stopped, and whose wish counts.

        That is their start, or the stop of those of whom somebody wanted something else
        meanwhile: if that was a restart, too, then once it has come to their start. Whoever
        would not stop is left out.
        """
        turned = anyio.Event()
        self._turning |= dict.fromkeys(names, turned)
        runners = self._runners(names)
        with self._ledger.cycling(self.crew, names) as asked, _set_after(turned):
            stopped = await stop_in_order(runners, self.crew.graph, Stop(), asked)
            willing = [n for n in names if stopped[n].report.ok and n in self.crew.members]
            ready = [n for n in willing if self.crew[n].runner.wishes == stopped[n].wish]
            for name in ready:
                self._services.bus.publish("task_restarted", self.session, task=name)
            self._start(graph.needed(self.crew.graph, ready), ready, environ)
            started = self._wishes(ready)
        overtaken = {name: stopped[name].wish for name in willing if name not in ready}
        for name in overtaken:
            while not self._turning[name].is_set():
                await self._turning[name].wait()
        return stopped, overtaken | started

    def _automatic(self) -> list[str]:
        config = self.crew.config
        return [name for name in self.crew if config.auto_start and config.tasks[name].auto_start]

    def _resume(self, past: CarriedProject) -> None:
        memory = past.memory
        known = {name: memory.tasks.get(name, Memory()) for name in self.crew}
        for name, task in known.items():
            self.crew[name].wear(memory.environs.get(task.environ or "", {}))
        lost = [n for n, task in known.items() if task.wanted and task.state not in RESTING]
        up = [name for name in lost if name not in past.members]
        for name in up:
            # It was up without those that were not: they stay as they were, and it comes back.
            self.crew[name].spared = frozenset(self.crew.graph[name]).difference(up)
        self._start(up, [], None)


@contextmanager
def _set_after(event: anyio.Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()
