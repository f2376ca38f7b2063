"""The runners of one project: made from its tables, kept in step with them, remembered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
from anyio.abc import TaskGroup, TaskStatus

from taskmux import graph, paths
from taskmux.errors import InvalidValue, TaskmuxError, TaskNotFound
from taskmux.lifecycle import RESTING, News, Stop
from taskmux.logs import LogWriter, intruders
from taskmux.processes import new_marker
from taskmux.project import ProjectConfig, TaskConfig, parse
from taskmux.runner import Outfit, Runner, Spec
from taskmux.scarcity import described
from taskmux.store import Memory

from .carried import CarriedMember, Origin
from .environ import Identity, Sibling, sibling_at, task_environ
from .member import Member, recalled
from .mending import Mending
from .needs import all_met
from .ports import TaskPorts
from .services import Services
from .specs import log_of, make_spec

NOBODY: Mapping[str, CarriedMember] = {}


class Crew:
    """All members of a project, in the order of its taskmux.toml.

    `changed` is called whenever something that is to be remembered changed.
    """

    def __init__(
        self, session: str, folder: Path, services: Services, changed: Callable[[], None]
    ) -> None:
        self.members: dict[str, Member] = {}
        self.config = ProjectConfig()
        self._session = session
        self.folder = folder
        self._origin: Origin | None = None
        """What `config` was read from."""

        self._services = services
        self._changed = changed
        self._mending = Mending()
        self._ports = TaskPorts(session, services)
        self._leaving: dict[str, Member] = {}
        """Those that the newest taskmux.toml has no more, until they are gone."""

    def __getitem__(self, name: str) -> Member:
        """Return a member; raise `TaskNotFound`, with a guess at what was meant."""
        if name not in self.members:
            raise TaskNotFound(name, self.members)
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def known(self, names: Iterable[str]) -> list[str]:
        """Return `names`; raise `TaskNotFound` if one of them is nobody's."""
        return [name for name in names if self[name] is not None]

    @property
    def graph(self) -> graph.Graph:
        """Who depends on whom."""
        return {name: task.depends_on for name, task in self.config.tasks.items()}

    def rename(self, session: str) -> None:
        """Go by another name of the project's, under which its folder is already."""
        self._session = session
        self._ports.rename(session)
        for name, member in self.members.items():
            self._declare_log(member, self.config.tasks[name])

    def check(self, config: ProjectConfig) -> None:
        """Raise what is wrong with `config` and shows only when it is carried out."""
        self._specs(config)
        with ExitStack() as opened:
            self._writers(config, opened)

    async def adopt(
        self,
        config: ProjectConfig,
        group: TaskGroup,
        memories: Mapping[str, Memory],
        carried: Mapping[str, CarriedMember] = NOBODY,
    ) -> list[str]:
        """Make the members those of `config`; return those whose table changed while they ran.

        Members that are not in it any more are stopped, whatever their hooks say.
        New ones become what they were by `memories`, and by what was `carried`.
        """
        specs = self._specs(config)
        await self._services.prepare(config)
        fresh = await self._recruit(config, specs, group, memories, carried)
        # Whoever looks in between would find half of it: nothing is awaited until all is there.
        for member in self.members.values():
            if not member.runner.outdated:
                member.origin = self._origin
        self.config, self._origin = config, Origin(config.text, str(self.folder))
        self._leaving = {n: member for n, member in self.members.items() if n not in specs}
        for name in self.members.keys() & specs.keys():
            self.members[name].runner.declare(specs[name])
            self._declare_log(self.members[name], config.tasks[name])
        self.members = {name: fresh.get(name) or self.members[name] for name in specs}
        for name in carried.keys() & specs.keys():
            self.members[name].runner.take_over(carried[name].runner)
        await self._dismiss()
        return [name for name, member in self.members.items() if member.runner.outdated]

    async def move(self, folder: Path, config: ProjectConfig, group: TaskGroup) -> list[str]:
        """Adopt the `config` of another folder, and go on there; return what `adopt` does."""
        before, self.folder = self.folder, folder
        try:
            return await self.adopt(config, group, {})
        except TaskmuxError:
            self.folder = before
            raise

    def _specs(self, config: ProjectConfig) -> dict[str, Spec]:
        return {name: self._spec(config, task, self.folder) for name, task in config.tasks.items()}

    def _spec(self, config: ProjectConfig, task: TaskConfig, folder: Path) -> Spec:
        services = self._services
        spec = make_spec(config, task, folder, services.plugins, services.settings)
        return replace(spec, probe=services.elsewhere.keep(spec.probe, services.plugins))

    async def _recruit(
        self,
        config: ProjectConfig,
        specs: Mapping[str, Spec],
        group: TaskGroup,
        memories: Mapping[str, Memory],
        carried: Mapping[str, CarriedMember],
    ) -> dict[str, Member]:
        """Return those that are new, at work, and known to nobody yet."""
        fresh: dict[str, Member] = {}
        with ExitStack() as undo:  # where one of them cannot be
            for name, log in self._writers(config, undo).items():
                undo.callback(self._ports.release, name)
                memory = memories.get(name, Memory())
                fresh[name] = await self._member(specs[name], log, memory, carried.get(name))
            undo.pop_all()
        for member in fresh.values():
            await group.start(self._employ, member)
        return fresh

    async def _member(
        self, spec: Spec, log: LogWriter, memory: Memory, past: CarriedMember | None
    ) -> Member:
        name = spec.name
        if past is not None and memory.port is not None:
            port = memory.port  # it may be listening there
            self._ports.keep(name, port)
        else:
            port = await self._ports.take(name, memory.port)
        runner = Runner(
            spec if past is None else self._started_from(past.origin, spec),
            log,
            task=recalled(memory) if past is None else past.runner.task,
            outfit=partial(self._outfit, name),
            dependencies=partial(self._dependencies, name),
            tell=partial(self._tell, name),
            changed=self._changed,
        )
        member = Member(runner, port, memory)
        if past is not None:
            member.take_over(past)
            runner.declare(spec)
        return member

    def _started_from(self, origin: Origin | None, spec: Spec) -> Spec:
        """Return the declaration of a task as it was in `origin`; `spec`, if that says nothing."""
        with suppress(TaskmuxError, KeyError):
            if origin is not None:
                folder = Path(origin.folder)
                config = parse(origin.text, str(folder / paths.CONFIG_NAME))
                return self._spec(config, config.tasks[spec.name], folder)
        return spec

    async def _employ(
        self, member: Member, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        try:
            with member.scope:
                await member.runner.run(task_status=task_status)
        finally:
            member.runner.log.close()
            self._ports.release(member.name)
            member.gone.set()

    async def keep_logs(self) -> None:
        """Have logs that could not be written go on as soon as they can, until cancelled."""
        await self._mending.keep(lambda: [m.runner.log for m in self.members.values()])

    async def _dismiss(self) -> None:
        for member in self._leaving.values():
            member.runner.ask(Stop(final=True))
        for member in self._leaving.values():
            await member.runner.wait_until(lambda task: task.state in RESTING)
            member.scope.cancel()
            await member.gone.wait()
            self._changed()
        self._leaving = {}

    def _writers(self, config: ProjectConfig, opened: ExitStack) -> dict[str, LogWriter]:
        """Return the logs of those that are not there yet; they are closed with `opened`."""
        logs: dict[str, LogWriter] = {}
        for name, task in config.tasks.items():
            if name not in self.members:
                log = logs[name] = self._writer(task)
                opened.callback(log.close)
            elif self._log_of(task) != self.members[name].runner.log.path:
                self._writer(task).close()  # it could be
        return logs

    def _writer(self, task: TaskConfig) -> LogWriter:
        path = self._log_of(task)
        # Where taskmux chose the place, what is in the way is no fault of the user's table.
        for odd in () if task.log_file is not None else intruders(path):
            self._services.store.set_aside(odd, "it cannot be a log")
        try:
            return LogWriter(
                path,
                max_size=task.log_max_size,
                max_files=task.log_max_files,
                on_drop=self._mending.note_drop,
                on_recover=partial(self._note_lost, task.name),
            )
        except OSError as error:
            why = f"{path} cannot be written: {described(error)}"
            key, config = f"tasks.{task.name}.log_file", str(self.folder / paths.CONFIG_NAME)
            raise InvalidValue(config, key, None, why) from None

    def _declare_log(self, member: Member, task: TaskConfig) -> None:
        sizes = {"max_size": task.log_max_size, "max_files": task.log_max_files}
        member.runner.log.declare(self._log_of(task), **sizes)

    def _log_of(self, task: TaskConfig) -> Path:
        return log_of(task, self.folder, self._services.home, self._session)

    def _note_lost(self, name: str, why: str, count: int) -> None:
        self._publish("log_lines_dropped", name, count=count, reason=why)

    def _outfit(self, name: str) -> Outfit:
        member = self[name]
        member.port = self._ports.usable(name, member.port)
        member.run += 1
        home = self._services.home
        run_id = new_marker(home)
        who = Identity(str(home), self.config.name, self._session, name, member.run, run_id)
        own, root = self.config.tasks[name].env, self._services.root
        environ = task_environ(member.environ, own, who, self._siblings(), root)
        return Outfit(environ, member.port, member.run, run_id)

    async def clear_ports(self, names: Iterable[str]) -> None:
        """End what earlier runs left on the ports of those of `names` that are at rest."""
        for name in names:
            if self[name].task.state in RESTING:
                await self._ports.clear(name, self[name].port)

    def _siblings(self) -> dict[str, Sibling]:
        return {name: sibling_at(m.port, self.url(name)) for name, m in self.members.items()}

    def url(self, name: str) -> str | None:
        """Return where a browser finds a task; None if it has no name, or there is no proxy."""
        return self._services.urls.of(self._session, self.config.tasks[name].host)

    async def _dependencies(self, name: str) -> None:
        member, needs = self[name], self.config.tasks[name].depends_on.items()
        awaited = {self[n].runner: condition for n, condition in needs if n not in member.spared}
        try:
            await all_met(name, awaited, partial(self._needs, name))
        finally:
            member.spared = frozenset()

    def _needs(self, name: str) -> Collection[str]:
        return self.config.tasks[name].depends_on if name in self.config.tasks else ()

    def _tell(self, name: str, item: News) -> None:
        member = self.members.get(name) or self._leaving[name]
        if item.kind in member.counts:
            member.counts[item.kind] += 1
        self._publish(item.kind, name, run=member.run, **item.facts)

    def _publish(self, kind: str, task: str, **facts: object) -> None:
        self._services.bus.publish(kind, self._session, task=task, **facts)
