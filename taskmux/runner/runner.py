"""Carries out what `lifecycle` decides: one runner per task, one task group per runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import anyio
from anyio import CancelScope, create_task_group
from anyio.abc import TaskGroup, TaskStatus

from taskmux import lifecycle
from taskmux.errors import FolderMissing, HookFailed, HookTimedOut, SpawnFailed, TaskmuxError
from taskmux.lifecycle import (
    Action,
    Event,
    Hook,
    News,
    State,
    Task,
    Timer,
    TimerFired,
    Urge,
    news,
    step,
)
from taskmux.logs import LogWriter
from taskmux.processes import NoFolder, run_shell

from .life import Health, Life
from .outfit import Outfit, Spec

HELD = ("dependencies", Timer.RETRY, Hook.BEFORE_START, Hook.BEFORE_STOP, Hook.AFTER_STOP)
"""What `Abandon` gives up, by the kinds it is begun under."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last stop took: the hardest signal, and what it could not end."""

    signal: str | None = None
    survivors: tuple[int, ...] = ()


class Runner:
    """Owns one task's process, probe and timers from the first spawn to the last exit.

    Nothing outlives `run`: cancel it and the process is killed before it
    returns. To stop politely, `ask(Stop())` and `wait_until` the task rests.

    `outfit` returns what the next process is started with, or raises a
    `TaskmuxError`. `dependencies` returns once all are ready, or raises
    `NeverReady`. `tell` gets what is worth an event, `changed` is called after
    every step; neither may raise, or ask the runner for anything.
    """

    def __init__(
        self,
        spec: Spec,
        log: LogWriter,
        *,
        task: Task | None = None,
        outfit: Callable[[], Outfit],
        dependencies: Callable[[], Awaitable[None]],
        tell: Callable[[News], None],
        changed: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.log = log
        self.task = task or Task()
        self.life: Life | None = None
        """The process at work; None while there is none."""

        self.health: Health | None = None
        self.error: TaskmuxError | None = None
        """Why the task could not be started, or stopped, when it last could not."""

        self.status: int | None = None
        """How the last process ended; negative for a signal, None if none has."""

        self.ending = Ending()
        self.wishes = 0
        """How often a user asked for anything; tells whether one's own wish is still the newest."""

        self.outfit: Outfit | None = None
        """What the newest process was started with; None before the first."""

        self._next_spec: Spec | None = None
        self._fitted: Outfit | None = None
        """Made for `before_start`, and not yet used by a process."""

        self._outfit = outfit
        self._dependencies = dependencies
        self._tell = tell
        self._on_change = changed
        self._group: TaskGroup | None = None
        self._begun: dict[str, CancelScope] = {}
        self._changed = anyio.Event()

    @property
    def outdated(self) -> bool:
        """Whether the process at work was started from an older declaration."""
        return self._next_spec is not None

    def declare(self, spec: Spec) -> None:
        """Take a new declaration; a process at work keeps the one it was started with."""
        if self.task.alive:
            self._next_spec = None if spec == self.spec else spec
        else:
            self.spec, self._next_spec = spec, None

    def ask(self, wish: lifecycle.Start | lifecycle.Stop) -> int:
        """Take a user's wish; return its number among all wishes."""
        self.wishes += 1
        self.error = None
        self._send(wish)
        return self.wishes

    async def wait_until(self, done: Callable[[Task], bool]) -> Task:
        """Return the task once it is as `done` wants it."""
        while not done(self.task):
            await self._changed.wait()
        return self.task

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Carry out wishes until cancelled."""
        try:
            async with create_task_group() as self._group:
                task_status.started()
                await anyio.sleep_forever()
        finally:
            # Whoever still waits for a state must not wait for ever.
            self.task = replace(self.task, state=State.FAILED, reason="given up", alive=False)
            self._changed.set()

    def _send(self, event: Event) -> None:
        # Steps are taken one after another because nothing here awaits, and
        # nothing that `_perform` begins runs before the loop's next turn.
        if self._next_spec is not None and not self.task.alive:
            self.spec, self._next_spec = self._next_spec, None
        before, policy = self.task, self.spec.policy
        self.task, actions = step(before, event, policy)
        for action in actions:
            self._perform(action)
        for item in news(before, event, self.task, policy):
            self._tell(item)
        if self.task != before:
            self._changed.set()
            self._changed = anyio.Event()
            self._on_change()

    def _perform(self, action: Action) -> None:
        assert self._group is not None, "asked before it runs"
        match action:
            case lifecycle.Await(epoch):
                self._begin("dependencies", partial(self._wait, epoch))
            case lifecycle.Run(epoch, hook):
                self._begin(hook, partial(self._hook, epoch, hook))
            case lifecycle.Arm(epoch, timer, after):
                self._begin(timer, partial(self._ring, TimerFired(epoch, timer), after))
            case lifecycle.Abandon():
                for kind in HELD:
                    self._give_up(kind)
            case lifecycle.Spawn(epoch):
                self._group.start_soon(self._live, epoch)
            case lifecycle.Signal(urge):
                self._signal(urge)

    def _signal(self, urge: Urge) -> None:
        self.ending = Ending(signal=urge)
        if self.life is not None:
            self.life.signal(urge)

    def _begin(self, kind: str, work: Callable[[], Awaitable[Event]]) -> None:
        # Of each kind only the newest counts; without this, a task stopped and
        # started a thousand times would keep a thousand timers.
        assert self._group is not None
        self._give_up(kind)
        scope = self._begun[kind] = CancelScope()
        self._group.start_soon(self._finish, kind, scope, work)

    def _give_up(self, kind: str) -> None:
        if kind in self._begun:
            self._begun.pop(kind).cancel()

    async def _finish(
        self, kind: str, scope: CancelScope, work: Callable[[], Awaitable[Event]]
    ) -> None:
        with scope:
            event = await work()
            if self._begun.get(kind) is scope:
                del self._begun[kind]
            self._send(event)

    async def _wait(self, epoch: int) -> Event:
        try:
            await self._dependencies()
        except TaskmuxError as error:
            return self._hopeless(epoch, error)
        return lifecycle.Cleared(epoch)

    async def _ring(self, event: TimerFired, after: float) -> Event:
        await anyio.sleep(after)
        return event

    async def _hook(self, epoch: int, hook: Hook) -> Event:
        try:
            if hook is Hook.BEFORE_START:
                self.outfit = self._fitted = self._outfit()
            for command in self.spec.hooks.get(hook, ()):
                await self._run_hook(hook, command)
        except TaskmuxError as error:
            self.error, self._fitted = error, None
            self.log.note(str(error))
            return lifecycle.Hooked(epoch, hook, str(error))
        return lifecycle.Hooked(epoch, hook)

    async def _run_hook(self, hook: Hook, command: str) -> None:
        spec, outfit = self.spec, self.outfit
        assert outfit is not None, "every hook but the first comes after a process"
        self.log.note(f"{hook}: {command}")
        try:
            with anyio.fail_after(spec.hook_timeout):
                run = await run_shell(
                    command, cwd=spec.cwd, environ=outfit.environ, feed=self.log.feed
                )
        except TimeoutError:
            raise HookTimedOut(spec.name, hook, spec.hook_timeout) from None
        except NoFolder:
            raise FolderMissing(spec.name, str(spec.cwd)) from None
        finally:
            self.log.flush()
        if run.status != 0:
            raise HookFailed(spec.name, hook, run.status, run.tail.rpartition("\n")[2])

    async def _live(self, epoch: int) -> None:
        try:
            self.life = life = self._spawn()
        except TaskmuxError as error:
            self._send(self._hopeless(epoch, error))
            return
        if self.task.urge is not None:  # a stop came before there was anything to stop
            self._signal(self.task.urge)
        try:
            # The dead need no harder signal, however long the looking round takes.
            ended = partial(self._give_up, Timer.GRACE)
            self.status = await life.live(partial(self._heard, epoch), ended)
        finally:
            self.ending = Ending(self.ending.signal, tuple(life.survivors))
            self.life = None
        self._send(lifecycle.Exited(epoch, self.status))

    def _spawn(self) -> Life:
        self.health, self.ending = None, Ending()
        spec, outfit = self.spec, self._fitted or self._outfit()
        self.outfit, self._fitted = outfit, None
        try:
            life = Life(spec, outfit, self.log)
        except NoFolder:
            raise FolderMissing(spec.name, str(spec.cwd)) from None
        except OSError as error:
            raise SpawnFailed(spec.name, error.strerror or str(error)) from None
        self._tell(News("task_started", {"pid": life.pid, "port": outfit.port}))
        return life

    def _heard(self, epoch: int, health: Health) -> None:
        self.health = health
        self._send(lifecycle.Probed(epoch, health.ok, health.reason))

    def _hopeless(self, epoch: int, error: TaskmuxError) -> Event:
        self.error = error
        with suppress(OSError):
            self.log.note(str(error))
        return lifecycle.Hopeless(epoch, str(error))
