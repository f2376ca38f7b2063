"""Writes down what the next daemon should know of a project, whenever it changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import anyio
from anyio import create_task_group
from msgspec.structs import replace

from taskmux.errors import NothingLeft
from taskmux.lifecycle import RESTING, State
from taskmux.processes import Trace, boot_id, end
from taskmux.runner import CarriedLife
from taskmux.store import Memory, ProjectMemory

from .carried import CarriedProject
from .crew import Crew
from .member import Member
from .saving import AGAIN, Saving
from .services import Services

PAUSE = 0.1
"""Between two saves that nobody waits for: a hundred tasks start in fewer than a hundred writes."""


class Ledger:
    """What is known of the tasks in `crew`, on disk."""

    def __init__(self, session: str, services: Services) -> None:
        self._session = session
        self._services = services
        self._changed = anyio.Event()
        self._resuming: dict[str, Memory] = {}
        self._cycling: dict[str, tuple[int, Memory]] = {}
        self._saving = Saving(services.bus, session)

    def rename(self, session: str) -> None:
        """Write by another name of the project's from now on."""
        self._session = self._saving.session = session
        self.note_change()

    @property
    def unsaved(self) -> str | None:
        """Why the newest could not be written; None if it could."""
        return self._saving.trouble

    def note_change(self) -> None:
        """Have what is known written down soon."""
        self._changed.set()

    async def keep(self, crew: Crew) -> None:
        """Write whenever something changed, until cancelled; where that fails, again and again."""
        while True:
            await self._changed.wait()
            self.save(crew)
            await anyio.sleep(PAUSE if self.unsaved is None else AGAIN)

    def settle(self, crew: Crew) -> None:
        """Write now what is not yet written: a command is about to be acknowledged."""
        if self._changed.is_set():
            self.save(crew)

    def mark_resuming(self, crew: Crew) -> None:
        """Have the next daemon start again what runs now, although it is about to be stopped."""
        known = {name: self._known(name, crew[name]) for name in crew}
        self._resuming = {
            name: memory
            for name, memory in known.items()
            if memory.state == State.COMPLETED or _up(memory)
        }

    @contextmanager
    def cycling(self, crew: Crew, names: Iterable[str]) -> Iterator[Callable[[str, int], None]]:
        """While inside, have the next daemon start again what is stopped only to be started.

        Yields what has to be told which wish stopped a task: any newer one counts instead.
        """
        before = {n: known for n in names if _up(known := self._known(n, crew[n]))}
        mine: dict[str, tuple[int, Memory]] = {}

        def note_stop(name: str, wish: int) -> None:
            if name in before:
                self._cycling[name] = mine[name] = wish, before[name]

        try:
            yield note_stop
        finally:
            for name, entry in mine.items():
                if self._cycling.get(name) is entry:
                    del self._cycling[name]
            self.note_change()

    def save(self, crew: Crew) -> None:
        """Write; what cannot be written now is tried again."""
        self._changed = anyio.Event()
        save, now = self._services.store.save_project, self.known(crew)
        if not self._saving.attempt(lambda: save(self._session, now)):
            self._changed.set()

    def known(self, crew: Crew) -> ProjectMemory:
        """Return what is known now."""
        members = {name: crew[name] for name in crew}
        memories = {name: self._known(name, member) for name, member in members.items()}
        environs = {m.environ_key: m.environ for m in members.values() if m.environ}
        return ProjectMemory(memories, {key: dict(e) for key, e in environs.items()})

    def _known(self, name: str, member: Member) -> Memory:
        memory, before = member.memory(), self._resuming.get(name)
        wish, cycled = self._cycling.get(name, (None, None))
        if before is None and wish == member.runner.wishes:
            before = cycled
        if before is None:
            return memory
        return replace(memory, wanted=before.wanted, state=before.state, reason=before.reason)


def _up(memory: Memory) -> bool:
    return memory.wanted and memory.state not in RESTING


async def recall(session: str, services: Services) -> CarriedProject:
    """Return what is remembered of a project, once nothing is left of what ran then.

    As long as the system has nothing to read it with, that is waited for: what was wanted
    must not be forgotten for it. A reboot since then left nothing running.
    """
    while True:
        try:
            memory = services.store.project(session)
            break
        except NothingLeft:
            await anyio.sleep(AGAIN)
    await _end_leftovers(memory.tasks.values())
    return CarriedProject("", memory, {})


async def abandon(carried: CarriedProject) -> None:
    """End what was carried, and nobody can go on with."""
    await _end_leftovers(carried.memory.tasks.values())
    for member in carried.members.values():
        if member.runner.life is not None:
            _let_go(member.runner.life)


def _let_go(life: CarriedLife) -> None:
    os.close(life.terminal)
    with suppress(ChildProcessError):
        os.waitpid(life.pid, os.WNOHANG)


async def _end_leftovers(memories: Iterable[Memory]) -> None:
    here = boot_id()
    async with create_task_group() as group:
        for memory in memories:
            if memory.child is not None and memory.child.boot == here:
                child = memory.child
                group.start_soon(end, Trace(child.run_id, child.pid, child.started))
