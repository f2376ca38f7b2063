"""The registry of projects, and the life of each while the daemon runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio
from anyio import create_task_group
from anyio.abc import TaskGroup

from taskmux.errors import BadRequest, NameTaken, NotRegistered, TaskmuxError, UnknownSession
from taskmux.supervisor import Services
from taskmux.undertaking import Undertakings

from .carried import CarriedProjects
from .project import Project, read_config
from .roll import Roll
from .watch import changed_configs

Outcome = TypeVar("Outcome")


class Projects:
    """Every registered project, by session."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._projects: dict[str, Project] = {}
        self._hosts: dict[str, anyio.Event] = {}
        self._registering = anyio.Lock()
        self._undertakings: Undertakings | None = None
        self._group: TaskGroup | None = None
        self._roll: Roll | None = None
        self._rewatch = anyio.Event()
        self._watching = True
        self._closing: bool | None = None
        """Whether all is being ended in order to resume; None while it is not being ended."""

    def __iter__(self) -> Iterator[Project]:
        return iter(self._projects.values())

    def __len__(self) -> int:
        return len(self._projects)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, services: Services, carried: CarriedProjects | None = None
    ) -> AsyncIterator[Self]:
        """Load what is registered, follow its files, and stop every task in the end.

        What was `carried` goes on as it is, and says what is registered.
        """
        projects = cls(services)
        async with create_task_group() as projects._group:
            projects._undertakings = Undertakings(projects._group)
            projects._roll = Roll(services, projects._paths, projects._group)
            await projects._load(carried)
            projects._group.start_soon(projects._watch)
            try:
                yield projects
            finally:
                with anyio.CancelScope(shield=True):
                    await projects.close()
                # Told rather than cancelled: the thread that watches looks only now and then.
                projects._watching = False
                projects._roll.close()
                projects._rewatch.set()

    def get(self, session: str) -> Project | None:
        """Return a project if it is registered."""
        return self._projects.get(session)

    def find(self, session: str) -> Project:
        """Return a registered project."""
        if session not in self._projects:
            raise UnknownSession(session, self._projects)
        return self._projects[session]

    async def resolve(self, session: str | None, config: str | None) -> Project:
        """Return the project a request is about; register its file if nobody did."""
        if session is not None:
            return self.find(session)
        if config is not None:
            return self._at(Path(config)) or (await self.register(Path(config)))[0]
        return self.only()

    def only(self) -> Project:
        """Return the registered project, if there is just one."""
        if len(self._projects) == 1:
            return next(iter(self))
        raise BadRequest("params.session is missing", hint="`list_projects` names the sessions")

    async def register(self, path: Path, *, force: bool = False) -> tuple[Project, str]:
        """Add the project of a taskmux.toml; return it, and whether it was there before."""
        return await self._see_through(partial(self._register, path, force))

    async def unregister(self, session: str, *, if_abandoned: bool = False) -> Project:
        """Stop a project's tasks and forget it, or only if it is `abandoned`; its logs stay."""
        return await self._see_through(partial(self._unregister, session, if_abandoned))

    @asynccontextmanager
    async def unregistered(self) -> AsyncIterator[list[Path]]:
        """Yield the folders of no project; within the block none of them becomes one's."""
        async with self._registering:
            folders = sorted(self._services.home.glob("projects/*"))
            yield [folder for folder in folders if folder.name not in self._projects]

    async def reload(self, project: Project) -> tuple[Project, list[str]]:
        """Read a project's file again; return the project, and the tasks to restart for it."""
        if project.supervisor is not None:
            return project, await self._see_through(partial(self._take, project)) or []
        read_config(project.path)
        return await self._see_through(partial(self._reopen, project)), []

    async def edit(self, project: Project, change: Callable[[str], str]) -> None:
        """Rewrite a project's file with `change(text)`, and carry out what it says then."""
        await self._see_through(partial(project.edit, change))

    @property
    def unsaved(self) -> str | None:
        """Why the registry could not be written; None if it could."""
        return None if self._roll is None else self._roll.unsaved

    @property
    def portable(self) -> bool:
        """Whether `carry` would carry all that goes on now."""
        busy = self._undertakings is not None and self._undertakings.busy
        return not busy and all(project.portable for project in self)

    async def settle(self) -> None:
        """Wait for what keeps them from being portable now; something else may, then."""
        assert self._undertakings is not None
        await self._undertakings.settle()
        for project in tuple(self):
            await project.settle()

    def busy(self) -> list[str]:
        """Return what keeps all this from being portable, for people."""
        found = [f"{one.session}: {why}" for one in self for why in one.busy()]
        return found or ["a project is being registered, edited or ended"]

    def carry(self) -> CarriedProjects:
        """Return what it takes to go on in another program of this process."""
        known = {project.session: project.carry() for project in self}
        opened = {session: carried for session, carried in known.items() if carried is not None}
        return CarriedProjects(self._paths(), opened)

    async def close(self, *, resume: bool = False) -> None:
        """Stop every task of every project; with `resume`, the next daemon starts them again."""
        self._closing = resume
        for project in self:
            project.close(resume=resume)
        for session in list(self._projects):
            await self._hosts[session].wait()

    async def _load(self, carried: CarriedProjects | None) -> None:
        written = self._services.store.registry()
        carried = carried or CarriedProjects(written, {})
        for session, path in carried.paths.items():
            opened = carried.opened.get(session)
            await self._host(Project(session, Path(path), self._services, opened))
        if carried.paths != written:
            self._save()

    def _paths(self) -> dict[str, str]:
        return {project.session: str(project.path) for project in self}

    def _at(self, path: Path) -> Project | None:
        return next((project for project in self if project.path == path), None)

    async def _see_through(self, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        # Half done, it would leave a project that is there and does nothing.
        assert self._undertakings is not None
        return await self._undertakings.see_through(work)

    async def _register(self, path: Path, force: bool) -> tuple[Project, str]:
        async with self._registering:
            known = self._at(path)
            if known is not None:
                return known, "already_registered"
            config = read_config(path)
            taken = self._projects.get(config.name)
            if taken is not None:
                # A project that moved takes its name along; a second checkout does not.
                moved = not taken.path.exists()
                if not moved and not force:
                    raise NameTaken(config.name, str(path), str(taken.path))
                if moved and taken.supervisor is not None:
                    await taken.move(path, config)
                    self._save()
                    self._rewatch.set()
                    return taken, "moved"
                await self._end(taken)
            project = Project(config.name, path, self._services)
            await self._host(project)
            self._save()
            self._services.bus.publish("project_registered", config.name, config=str(path))
            return project, "registered"

    async def _unregister(self, session: str, if_abandoned: bool) -> Project:
        async with self._registering:
            if session not in self._projects:
                raise NotRegistered(session, self._projects)
            project = self._projects[session]
            if project.abandoned or not if_abandoned:
                await self._end(project)
                self._services.store.forget_project(session)
                self._save()
                self._services.bus.publish("project_unregistered", session)
            return project

    async def _reopen(self, project: Project) -> Project:
        """Put a project that could not be opened aside, and open it as it is now."""
        async with self._registering:
            if self._projects.get(project.session) is not project:
                return self.find(project.session)
            await self._end(project)
            fresh = Project(project.session, project.path, self._services)
            await self._host(fresh)
            fresh.note_opened()
            return fresh

    async def _host(self, project: Project) -> None:
        assert self._group is not None
        ended = anyio.Event()
        await self._group.start(self._keep, project, ended)
        # Only now: whoever finds a project may use it.
        self._projects[project.session] = project
        self._hosts[project.session] = ended
        if self._closing is not None:
            project.close(resume=self._closing)
        self._rewatch.set()

    async def _keep(
        self,
        project: Project,
        ended: anyio.Event,
        *,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        try:
            await project.host(task_status=task_status)
        finally:
            ended.set()

    async def _end(self, project: Project) -> None:
        project.close()
        await self._hosts[project.session].wait()
        del self._projects[project.session]
        self._rewatch.set()

    def _save(self) -> None:
        assert self._roll is not None
        self._roll.save()

    async def _watch(self) -> None:
        while self._watching:
            self._rewatch = anyio.Event()
            changes = changed_configs([project.path for project in self], self._rewatch)
            async with aclosing(changes):
                async for path in changes:
                    project = self._at(path)
                    if project is not None and self._group is not None:
                        # What one project has to stop for it is nothing to the others.
                        self._group.start_soon(self._follow, project)

    async def _take(self, project: Project) -> list[str] | None:
        """Take what a project's file says now, its name too; return the tasks to restart for it."""
        outdated = await project.reload()
        async with self._registering, project.lock:
            if self._projects.get(project.session) is project and project.name != project.session:
                self._rename(project)
        return outdated

    def _rename(self, project: Project) -> None:
        before, session = project.session, project.name
        try:
            if session in self._projects:
                other = str(self._projects[session].path)
                raise NameTaken(session, str(project.path), other)
            project.rename(session)
        except TaskmuxError as error:  # it goes on by the name it had
            project.refuse(error)
            raise
        self._projects[session] = self._projects.pop(before)
        self._hosts[session] = self._hosts.pop(before)
        self._save()

    async def _follow(self, project: Project) -> None:
        with suppress(TaskmuxError):  # told by an event, and kept in `project.error`
            if project.supervisor is not None:
                await self._take(project)
            elif self._closing is None and project.changed():
                await self._see_through(partial(self._reopen, project))
