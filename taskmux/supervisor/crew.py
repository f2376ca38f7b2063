"""The runners of one project: made from its tables, kept in step with them, remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup, TaskStatus

from taskmux import graph, paths
from taskmux.errors import InvalidValue, NeverReady, NoFreePort, TaskmuxError, TaskNotFound
from taskmux.lifecycle import RESTING, News, Stop
from taskmux.logs import LogWriter, intruders
from taskmux.processes import Holder, holder, new_marker, shells_under_way
from taskmux.project import Condition, ProjectConfig, TaskConfig, parse
from taskmux.runner import Outfit, Runner, Spec
from taskmux.scarcity import described
from taskmux.store import Memory

from .carried import CarriedMember
from .environ import Identity, Sibling, sibling_at, task_environ
from .gate import Verdict, verdict
from .member import Member, recalled
from .mending import Mending
from .services import Services
from .specs import log_of, make_spec
from .squatters import evict, held, told

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
        self._services = services
        self._changed = changed
        self._mending = Mending()

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
        # All that can be wrong with it is found before anything is changed.
        tasks = config.tasks.items()
        specs = {n: make_spec(config, task, self.folder, self._services) for n, task in tasks}
        logs = self._writers([task for name, task in tasks if name not in self.members])
        gone = [name for name in self.members if name not in config.tasks]
        await self._dismiss(gone)
        for member in self.members.values():
            if not member.runner.outdated:
                member.origin = self.config.text
        self.config = config
        for name, spec in specs.items():
            if name in self.members:
                self.members[name].runner.declare(spec)
            else:
                memory = memories.get(name, Memory())
                member = await self._member(spec, logs[name], memory, carried)
                self.members[name] = member
                await group.start(self._employ, member)
        # All are there before the first one looks at those it depends on.
        for name in carried.keys() & specs.keys():
            self.members[name].runner.take_over(carried[name].runner)
        self.members = {name: self.members[name] for name in config.tasks}
        return [name for name, member in self.members.items() if member.runner.outdated]

    async def _member(
        self, spec: Spec, log: LogWriter, memory: Memory, carried: Mapping[str, CarriedMember]
    ) -> Member:
        name, past = spec.name, carried.get(spec.name)
        port = await self._take_port(name, memory.port, keep=past is not None)
        runner = Runner(
            spec if past is None else self._started_from(past.origin, spec),
            log,
            task=recalled(memory) if past is None else past.runner.task,
            outfit=partial(self._outfit, name),
            dependencies=partial(self._dependencies, name),
            tell=partial(self._tell, name),
            changed=self._changed,
        )
        member = Member(runner, port, memory, CancelScope())
        if past is not None:
            member.counts |= past.counts
            member.origin = past.origin
            runner.declare(spec)
        return member

    def _started_from(self, origin: str, spec: Spec) -> Spec:
        """Return the declaration of a task as it was in `origin`; `spec`, if that says nothing."""
        with suppress(TaskmuxError, KeyError):
            if origin:
                config = parse(origin, str(self.folder / paths.CONFIG_NAME))
                return make_spec(config, config.tasks[spec.name], self.folder, self._services)
        return spec

    async def _employ(
        self, member: Member, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with member.scope:
            await member.runner.run(task_status=task_status)
        member.runner.log.close()

    async def keep_logs(self) -> None:
        """Have logs that could not be written go on as soon as they can, until cancelled."""
        await self._mending.keep(lambda: [m.runner.log for m in self.members.values()])

    async def _dismiss(self, names: list[str]) -> None:
        for name in names:
            self.members[name].runner.ask(Stop(final=True))
        for name in names:
            member = self.members[name]
            await member.runner.wait_until(lambda task: task.state in RESTING)
            member.scope.cancel()
            del self.members[name]
            self._services.ports.release(f"{self._session}/{name}")
            self._changed()

    def _writers(self, tasks: list[TaskConfig]) -> dict[str, LogWriter]:
        logs: dict[str, LogWriter] = {}
        with ExitStack() as undo:  # where one of them cannot be
            for task in tasks:
                log = logs[task.name] = self._writer(task)
                undo.callback(log.close)
            undo.pop_all()
        return logs

    def _writer(self, task: TaskConfig) -> LogWriter:
        path = log_of(task, self.folder, self._services.home, self._session)
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

    def _note_lost(self, name: str, why: str, count: int) -> None:
        self._publish("log_lines_dropped", name, count=count, reason=why)

    def _outfit(self, name: str) -> Outfit:
        member = self[name]
        member.port = self._port(name, member.port)
        member.run += 1
        run_id = new_marker(self._services.home)
        who = Identity(
            home=str(self._services.home),
            project=self.config.name,
            session=self._session,
            task=name,
            run=member.run,
            run_id=run_id,
        )
        own = self.config.tasks[name].env
        environ = task_environ(member.environ, own, who, self._siblings())
        return Outfit(environ, member.port, member.run, run_id)

    def _port(self, name: str, port: int) -> int:
        # It was free when it was taken for this task; somebody may have come since.
        ports, owner = self._services.ports, f"{self._session}/{name}"
        if ports.free(port):
            return port
        with suppress(NoFreePort):
            ports.release(owner)
            other = ports.take(owner)
            self._tell_conflict(name, port, holder(port), other)
            return other
        return port

    async def clear_ports(self, names: Iterable[str]) -> None:
        """End what earlier runs left on the ports of those of `names` that are at rest."""
        for name in names:
            member = self[name]
            if member.task.state in RESTING and not self._services.ports.free(member.port):
                await self._evict(name, member.port)

    async def _take_port(self, name: str, before: int | None, *, keep: bool) -> int:
        ports, owner = self._services.ports, f"{self._session}/{name}"
        if keep and before is not None:
            ports.keep(owner, before)  # its task may be listening there
            return before
        wish = ports.wish(owner, before)
        if wish is not None and not ports.free(wish):
            await self._evict(name, wish)
        port = ports.take(owner, before)
        if before is not None and port != before:
            by = await held(before)
            self._tell_conflict(name, before, by, port)
        return port

    async def _evict(self, name: str, port: int) -> None:
        lives = [member.runner.life for member in self.members.values()]
        living = [life.outfit.run_id for life in lives if life is not None]
        living += [trace.run_id for trace in shells_under_way()]
        by = await evict(port, self._services.home, self._session, living)
        if by is not None:
            facts = told(port, by, "left by an earlier run, and ended")
            self._publish("port_conflict", name, **facts)

    def _tell_conflict(self, name: str, port: int, by: Holder | None, instead: int) -> None:
        facts = told(port, by, f"{name} gets {instead}")
        self._publish("port_conflict", name, taken_instead=instead, **facts)

    def _siblings(self) -> dict[str, Sibling]:
        return {name: sibling_at(member.port) for name, member in self.members.items()}

    async def _dependencies(self, name: str) -> None:
        member, needs = self[name], self.config.tasks[name].depends_on
        spared, member.spared = member.spared, frozenset()
        async with anyio.create_task_group() as group:
            failures: list[NeverReady] = []
            for dependency, condition in needs.items():
                if dependency in spared:
                    continue
                group.start_soon(self._dependency, name, dependency, condition, failures, group)
        if failures:
            raise failures[0]

    async def _dependency(
        self,
        name: str,
        dependency: str,
        condition: Condition,
        failures: list[NeverReady],
        group: TaskGroup,
    ) -> None:
        runner = self[dependency].runner
        task = await runner.wait_until(lambda task: verdict(task, condition) is not Verdict.WAIT)
        if verdict(task, condition) is Verdict.LOST:
            failures.append(NeverReady(name, dependency, f"it is {task.state}: {task.reason}"))
            group.cancel_scope.cancel()

    def _tell(self, name: str, item: News) -> None:
        member = self.members[name]
        if item.kind in member.counts:
            member.counts[item.kind] += 1
        self._publish(item.kind, name, run=member.run, **item.facts)

    def _publish(self, kind: str, task: str, **facts: object) -> None:
        self._services.bus.publish(kind, self._session, task=task, **facts)
