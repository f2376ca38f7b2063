from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from taskmux import logs
from taskmux.bus import Bus
from taskmux.contracts import Probe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.errors import TaskmuxError
from taskmux.lifecycle import Hook, News, Policy, Start, State, Task
from taskmux.logs import LogWriter
from taskmux.pattern import Pattern
from taskmux.processes.model import MARKER
from taskmux.processes.scan import census
from taskmux.runner import Outfit, Runner, Spec
from tests.processes.conftest import Pipe, as_nobody, descriptors, pipe

__all__ = ["Pipe", "as_nobody", "descriptors", "pipe"]

WELL = ProbeResult(True, "well")
ILL = ProbeResult(False, "ill")
PORT = 23417


class Answers:
    """A probe that gives or raises one answer after the other, and the last again and again."""

    name = "answers"
    summary = "Says what it is told to."
    rank = 50

    def __init__(self, *answers: Any) -> None:
        self._rest = list(answers)

    def applies(self, task: TaskFacts) -> bool:
        return True

    def prepare(self, target: ProbeTarget) -> Probe:
        async def ask() -> ProbeResult:
            answer = self._rest.pop(0) if len(self._rest) > 1 else self._rest[0]
            if isinstance(answer, Exception):
                raise answer
            result: ProbeResult = await answer() if callable(answer) else answer
            return result

        return ask


@dataclass
class Site:
    """A runner at work, what it is given, and what it leaves to be read."""

    spec: Spec
    log: LogWriter
    bus: Bus
    dependencies: Callable[[], Awaitable[None]] = checkpoint
    environ: dict[str, str] = field(default_factory=dict)
    no_outfit: TaskmuxError | None = None
    """Raised instead of the next outfits."""

    outfits: list[Outfit] = field(default_factory=list)
    seen: list[int | None] = field(default_factory=list)
    """The pid of the process, whenever something changed."""

    def __post_init__(self) -> None:
        self.runner = Runner(
            self.spec,
            self.log,
            outfit=self._outfit,
            dependencies=self._await,
            tell=self._tell,
            changed=lambda: self.seen.append(self.pid),
        )

    @property
    def pid(self) -> int | None:
        """The process at work, if there is one."""
        return None if self.runner.life is None else self.runner.life.pid

    @property
    def task(self) -> Task:
        return self.runner.task

    async def until(self, *states: State) -> Task:
        """Return the task once it is in one of these states."""
        return await self.runner.wait_until(lambda task: task.state in states)

    def said(self) -> list[str]:
        """Return the log's lines so far, with `…` for every pid."""
        lines = logs.read({"web": self.log.path}, logs.Window()).lines
        return [re.sub(r"\(pid \d+\)", "(pid …)", line.text.decode()) for line in lines]

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the events so far of these kinds, or all."""
        return [event for event in self.published if not kinds or event["event"] in kinds]

    def told(self) -> list[str]:
        """Return the kinds of the events so far."""
        return [event["event"] for event in self.published]

    def listen(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.bus.listen(self.published.append)

    async def left(self) -> list[int]:
        """Return what lives of any of its runs."""
        ids = {outfit.run_id for outfit in self.outfits}
        return [row.pid for row in (await census()).marked(ids.__contains__)]

    async def _await(self) -> None:
        await self.dependencies()

    def _tell(self, news: News) -> None:
        self.bus.publish(news.kind, "shop", **news.facts)

    def _outfit(self) -> Outfit:
        if self.no_outfit is not None:
            raise self.no_outfit
        run = len(self.outfits) + 1
        run_id = f"{self.log.path}-{run}"
        environ = {"PATH": os.environ["PATH"], "PORT": str(PORT), MARKER: run_id, **self.environ}
        self.outfits.append(Outfit(environ, PORT, run, run_id))
        return self.outfits[-1]


Work = Callable[..., AbstractAsyncContextManager[Site]]


def here(name: str) -> Path:
    """Return a path in the current folder."""
    return Path.cwd() / name


def touch(name: str) -> None:
    """Make a file in the current folder."""
    here(name).touch()


def spec_of(
    command: str,
    policy: Policy = Policy(),  # noqa: B008 (frozen)
    *,
    hooks: dict[Hook, str | tuple[str, ...]] | None = None,
    ready_log: str | None = None,
    probe: Any = None,
    facts: TaskFacts = TaskFacts("web"),  # noqa: B008 (frozen)
    **rest: Any,
) -> Spec:
    """Return the declaration of a task in the current folder; its hooks are its policy's."""
    chosen = {hook: _all_of(commands) for hook, commands in (hooks or {}).items()}
    return Spec(
        facts=facts,
        policy=replace(policy, hooks=frozenset(chosen)),
        command=command,
        cwd=rest.pop("cwd", Path.cwd()),
        probe=Answers(WELL) if probe is None else probe,
        ready_log=None if ready_log is None else Pattern(ready_log),
        hooks=chosen,
        **rest,
    )


def _all_of(commands: str | Iterable[str]) -> tuple[str, ...]:
    return (commands,) if isinstance(commands, str) else tuple(commands)


@pytest.fixture
def work(home: Path) -> Work:
    """Makes a runner of a task declared as for `spec_of`, and starts the task.

    When the context is left the runner is cancelled; then nothing may live of the task.
    """

    @asynccontextmanager
    async def at_work(
        command: str | Spec,
        *args: Any,
        start: bool = True,
        dependencies: Callable[[], Awaitable[None]] = checkpoint,
        **rest: Any,
    ) -> AsyncIterator[Site]:
        spec = command if isinstance(command, Spec) else spec_of(command, *args, **rest)
        log = LogWriter(home / "logs" / "web.log", max_size=50_000_000, max_files=1)
        site = Site(spec, log, Bus(home / "events.jsonl"), dependencies)
        site.listen()
        async with anyio.create_task_group() as group:
            with anyio.fail_after(20):
                await group.start(site.runner.run)
                if start:
                    site.runner.ask(Start())
                yield site
            group.cancel_scope.cancel()
        log.close()
        with CancelScope(shield=True):
            assert await site.left() == []

    return at_work
