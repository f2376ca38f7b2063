"""Carries out what `lifecycle` decides: one runner per task, one task group per runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import anyio
from anyio import create_task_group
from anyio.abc import TaskGroup, TaskStatus

from taskmux import lifecycle
from taskmux.awake import Vigil
from taskmux.errors import TaskmuxError
from taskmux.lifecycle import (
    RESTING,
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

from .carried import Carried, Ending, Health
from .errands import CARRIED, DEPENDENCIES, HELD, Errands
from .hooks import run_hook
from .life import Life
from .onlookers import Onlookers
from .outfit import Outfit, Spec, Wardrobe
from .refusal import refusing

DECISIVE = {Hook.BEFORE_START, Hook.BEFORE_STOP}
"""The hooks without which what was asked for does not happen."""


class Runner:
    """Owns one task's process, probe and timers from the first spawn to the last exit.

    Nothing outlives `run`: cancel it and the process is killed before it
    returns. To stop politely, `ask(Stop())` and `wait_until` the task rests.

    `outfit` returns what the next process is started with, or raises a
    `TaskmuxError`. `dependencies` returns once all are ready, or raises
    `NeverReady`. `tell` gets what is worth an event, `changed` is called after
    every step, and when there is a process; neither may raise, or ask the
    runner for anything.
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
        """Why the task could not be started, or stopped, when it last could not.

        None once a process ended: what came of that is its own doing.
        """

        self.status: int | None = None
        """How the last process ended; negative for a signal, None if none has."""

        self.ending = Ending()
        self.wishes = 0
        """How often a user asked for anything; tells whether one's own wish is still the newest."""

        self._next_spec: Spec | None = None
        self._wardrobe = Wardrobe(outfit)
        self._dependencies = dependencies
        self._tell = tell
        self._on_change = changed
        self._group: TaskGroup | None = None
        self._errands = Errands(self._send)
        self._onlookers = Onlookers()
        self._over = False
        self._due: dict[Timer, float] = {}

    @property
    def outdated(self) -> bool:
        """Whether the process at work was started from an older declaration."""
        return self._next_spec is not None

    @property
    def portable(self) -> bool:
        """Whether `carry` would carry all of it now: no hook runs, and nothing starts or ends."""
        at_work = self.life is not None and not self.life.ended
        whole = at_work == self.task.alive and self._errands.under_way <= CARRIED
        return whole and lifecycle.portable(self.task)

    async def settle(self) -> None:
        """Wait for what keeps the task from being portable now; something else may, then."""
        await self.wait_until(lifecycle.portable)
        await self._errands.over(but=CARRIED)
        if self.life is not None and self.life.ended:
            await self.wait_until(lambda task: not task.alive)

    def carry(self) -> Carried:
        """Return what it takes to go on with the task in another program of this process."""
        return Carried(
            task=self.task,
            life=None if self.life is None else self.life.carry(),
            unfinished=self.log.carry(),
            health=self.health,
            status=self.status,
            ending=self.ending,
            retry=max(0.0, self._due.get(Timer.RETRY, 0.0) - anyio.current_time()),
        )

    def take_over(self, carried: Carried) -> None:
        """Go on, once at work, with what `carry` returned. Raise `OSError` if it can't be."""
        assert self._group is not None, "asked before it runs"
        self.task, self.health = carried.task, carried.health
        self.status, self.ending = carried.status, carried.ending
        self.log.take_over(carried.unfinished)
        if carried.life is not None:
            self._wardrobe.keep(carried.task.epoch, carried.life.outfit)
            self.life = Life.take_over(self.spec, self.log, carried.life)
            self._group.start_soon(self._tend, carried.task.epoch, self.life)
        for action in lifecycle.resume(self.task, self.spec.policy, carried.retry):
            self._perform(action)

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
        if not self.task.alive and self.task.state is not State.STOPPING:
            self.ending = replace(self.ending, signal=None)  # an earlier stop took it, not this
        self._send(wish)
        return self.wishes

    async def wait_until(self, done: Callable[[Task], bool]) -> Task:
        """Return the task as it was when it first was as `done` wants it.

        By then nothing is left of what it gave up on the way. Where `run` is
        over, and nothing can come any more, return the task as it was left.
        """
        wanted = self._over or done(self.task)
        task = self.task if wanted else await self._onlookers.wait(done)
        await self._errands.settle()
        return task

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Carry out wishes until cancelled."""
        try:
            async with create_task_group() as self._group:
                task_status.started()
                await anyio.sleep_forever()
        finally:
            if self.task.state not in RESTING:
                self.task = replace(self.task, state=State.FAILED, reason="given up", alive=False)
            # Whoever still waits for a state must not wait for ever.
            self._over = True
            self._onlookers.show(self.task, last=True)

    def _send(self, event: Event) -> None:
        # Steps are taken one after another because nothing here awaits, and
        # nothing that `_perform` begins runs before the loop's next turn.
        if not self.task.alive:
            self._renew()
        before, policy = self.task, self.spec.policy
        self.task, actions = step(before, event, policy)
        for action in actions:
            self._perform(action)
        for item in news(before, event, self.task, policy):
            self._tell(item)
        if self.task != before:
            self._onlookers.show(self.task)
            self._on_change()

    def _renew(self) -> None:
        if self._next_spec is not None:
            self.spec, self._next_spec = self._next_spec, None

    def _perform(self, action: Action) -> None:
        assert self._group is not None, "asked before it runs"
        match action:
            case lifecycle.Await(epoch):
                self._errands.begin(self._group, DEPENDENCIES, partial(self._wait, epoch))
            case lifecycle.Run(epoch, hook):
                self._errands.begin(self._group, hook, partial(self._hook, epoch, hook))
            case lifecycle.Arm(epoch, timer, after):
                self._due[timer] = anyio.current_time() + after
                ring = partial(self._ring, TimerFired(epoch, timer), after)
                self._errands.begin(self._group, timer, ring)
            case lifecycle.Abandon():
                self._errands.give_up(*HELD)
            case lifecycle.Spawn(epoch):
                self._group.start_soon(self._live, epoch)
            case lifecycle.Signal(urge):
                self._signal(urge)

    def _signal(self, urge: Urge) -> None:
        if self.life is not None:
            if self.life.ended:
                return
            self.life.signal(urge)
        self.ending = Ending(signal=urge)

    async def _wait(self, epoch: int) -> Event:
        try:
            await self._dependencies()
        except TaskmuxError as error:
            return self._hopeless(epoch, error)
        return lifecycle.Cleared(epoch)

    async def _ring(self, event: TimerFired, after: float) -> Event:
        # Only patience with somebody else is to be had awake; and that takes more wake-ups.
        await (Vigil().sleep(after) if event.timer is Timer.GRACE else anyio.sleep(after))
        return event

    async def _hook(self, epoch: int, hook: Hook) -> Event:
        try:
            await run_hook(self.spec, hook, self._outfit(epoch), self.log)
        except TaskmuxError as error:
            if hook is Hook.BEFORE_START and error.passing:
                return self._hopeless(epoch, error)
            if hook in DECISIVE:
                self.error = error
            self.log.note(str(error))
            return lifecycle.Hooked(epoch, hook, str(error))
        return lifecycle.Hooked(epoch, hook)

    def _outfit(self, epoch: int) -> Outfit:
        with refusing(self.spec):
            return self._wardrobe.outfit(epoch)

    async def _live(self, epoch: int) -> None:
        try:
            self.life = life = self._spawn(epoch)
        except TaskmuxError as error:
            self._send(self._hopeless(epoch, error))
            return
        self._on_change()
        if self.task.urge is not None:  # a stop came before there was anything to stop
            self._signal(self.task.urge)
        await self._tend(epoch, life)

    async def _tend(self, epoch: int, life: Life) -> None:
        try:
            self.status = await life.live(partial(self._heard, epoch), self._note_death)
        finally:
            self.ending = Ending(self.ending.signal, tuple(life.survivors))
            self.life = None
        await self._errands.settle()
        self.error = None
        self._send(lifecycle.Exited(epoch, self.status))

    def _note_death(self) -> None:
        # The dead need no harder signal, however long the looking round takes, and
        # nothing more can be done for their start.
        self._errands.give_up(Timer.GRACE, Hook.AFTER_START)

    def _spawn(self, epoch: int) -> Life:
        self._renew()
        self.health, self.ending = None, Ending()
        spec, outfit = self.spec, self._outfit(epoch)
        with refusing(spec):
            life = Life.begin(spec, outfit, self.log)
        self._tell(News("task_started", {"pid": life.pid, "port": outfit.port}))
        return life

    def _heard(self, epoch: int, health: Health) -> None:
        if health.ok is None:
            self._send(lifecycle.Unasked(epoch, health.reason))
            return
        self.health = health
        self._send(lifecycle.Probed(epoch, health.ok, health.reason))

    def _hopeless(self, epoch: int, error: TaskmuxError) -> Event:
        self.error = error
        self.log.note(str(error))
        return lifecycle.Hopeless(epoch, str(error), error.passing)
