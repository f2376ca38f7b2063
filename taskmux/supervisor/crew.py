"""The runners of one project: made from its tables, kept in step with them, remembered."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import anyio
from anyio import CancelScope, to_thread
from anyio.abc import TaskGroup, TaskStatus

from taskmux import graph, paths
from taskmux.errors import InvalidValue, NeverReady, NoFreePort, TaskNotFound
from taskmux.lifecycle import RESTING, News, State, Stop, Task
from taskmux.logs import LogWriter
from taskmux.processes import Holder, boot_id, holder
from taskmux.project import Condition, ProjectConfig, TaskConfig
from taskmux.runner import Outfit, Runner, Spec
from taskmux.store import Child, Memory, environ_key

from .environ import Identity, Sibling, sibling_at, task_environ
from .gate import Verdict, verdict
from .services import Services
from .specs import log_of, make_spec
from .squatters import evict, told


class Member:
    """One task with its runner, and what is remembered of it between two runs of the daemon."""

    def __init__(self, runner: Runner, port: int, memory: Memory, scope: CancelScope) -> None:
        self.runner = runner
        self.port = port
        self.run = memory.run
        self.wear({})
        self.status = memory.status
        self.counts = {"task_started": 0, "auto_restart": 0, "health_check_failed": 0}
        self.scope = scope
        self.spared: frozenset[str] = frozenset()
        """Dependencies that its next start does not wait for."""

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
        self, config: ProjectConfig, group: TaskGroup, memories: Mapping[str, Memory]
    ) -> list[str]:
        """Make the members those of `config`; return those whose table changed while they ran.

        Members that are not in it any more are stopped, whatever their hooks say.
        """
        # All that can be wrong with it is found before anything is changed.
        tasks = config.tasks.items()
        specs = {n: make_spec(config, task, self.folder, self._services) for n, task in tasks}
        logs = self._writers([task for name, task in tasks if name not in self.members])
        gone = [name for name in self.members if name not in config.tasks]
        await self._dismiss(gone)
        self.config = config
        for name, spec in specs.items():
            if name in self.members:
                self.members[name].runner.declare(spec)
            else:
                await self._hire(spec, logs[name], group, memories.get(name, Memory()))
        self.members = {name: self.members[name] for name in config.tasks}
        return [name for name, member in self.members.items() if member.runner.outdated]

    async def _hire(self, spec: Spec, log: LogWriter, group: TaskGroup, memory: Memory) -> None:
        name = spec.name
        port = await self._take_port(name, memory.port)
        runner = Runner(
            spec,
            log,
            task=_recalled(memory),
            outfit=partial(self._outfit, name),
            dependencies=partial(self._dependencies, name),
            tell=partial(self._tell, name),
            changed=self._changed,
        )
        member = self.members[name] = Member(runner, port, memory, CancelScope())
        await group.start(self._employ, member)

    async def _employ(
        self, member: Member, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with member.scope:
            await member.runner.run(task_status=task_status)
        member.runner.log.close()

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
        try:
            return LogWriter(
                path,
                max_size=task.log_max_size,
                max_files=task.log_max_files,
                on_recover=partial(self._note_lost, task.name),
            )
        except OSError as error:
            why = f"{path} cannot be written: {error.strerror or error}"
            key, config = f"tasks.{task.name}.log_file", str(self.folder / paths.CONFIG_NAME)
            raise InvalidValue(config, key, None, why) from None

    def _note_lost(self, name: str, why: str, count: int) -> None:
        self._publish("log_lines_dropped", name, count=count, reason=why)

    def _outfit(self, name: str) -> Outfit:
        member = self[name]
        member.port = self._port(name, member.port)
        member.run += 1
        run_id = str(uuid.uuid4())
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

    async def _take_port(self, name: str, before: int | None) -> int:
        ports, owner = self._services.ports, f"{self._session}/{name}"
        wish = ports.wish(owner, before)
        if wish is not None and not ports.free(wish):
            await self._evict(name, wish)
        port = ports.take(owner, before)
        if before is not None and port != before:
            by = await to_thread.run_sync(holder, before)
            self._tell_conflict(name, before, by, port)
        return port

    async def _evict(self, name: str, port: int) -> None:
        lives = [member.runner.life for member in self.members.values()]
        living = [life.outfit.run_id for life in lives if life is not None]
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


def _recalled(memory: Memory) -> Task:
    state = State(memory.state) if memory.state in set(State) else State.STOPPED
    if state in RESTING:
        return Task(state=state, wanted=memory.wanted, reason=memory.reason)
    return Task(reason=f"was {state} when the daemon ended")
