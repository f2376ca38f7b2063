"""A task's life at random, against a model of the world that only does what it is told."""

from __future__ import annotations

import random

import pytest

from taskmux.lifecycle import (
    RESTING,
    Abandon,
    Action,
    Arm,
    Await,
    Cleared,
    Event,
    Exited,
    Hook,
    Hooked,
    Hopeless,
    Policy,
    Probed,
    Restart,
    Run,
    Signal,
    Spawn,
    Start,
    State,
    Stop,
    Task,
    Timer,
    TimerFired,
    Urge,
    step,
)

HOOKS = frozenset(Hook)
POLICIES = {
    "plain": Policy(max_restarts=2, health_retries=2),
    "needy": Policy(depends_on=("db",), health_retries=1),
    "always": Policy(restart=Restart.ALWAYS, max_restarts=1),
    "never": Policy(restart=Restart.NO, oneshot=True),
    "hooked": Policy(hooks=HOOKS, health_retries=2),
    "cautious": Policy(hooks=frozenset({Hook.BEFORE_STOP, Hook.AFTER_START})),
    "all": Policy(("db",), True, Restart.ALWAYS, hooks=HOOKS, health_retries=2),
}
WISHES: list[Event] = [Start(), Start(), Stop(), Stop(kill=True), Stop(final=True)]


class World:
    """What would be there if every action were carried out: one process, one hook, some timers."""

    def __init__(self, policy: Policy, choose: random.Random) -> None:
        self.task = Task()
        self.policy, self.choose = policy, choose
        self.alive = False
        self.urges: list[Urge] = []
        """What the process now alive was sent."""

        self.due: dict[str, Event] = {}
        """The answers still to come, by what they answer."""

        self.late: list[Event] = []
        """Answers that nobody wants any more, and that may come all the same."""

        self.wanted = self.final = False

    def events(self) -> list[Event]:
        """Return everything that may happen next."""
        events: list[Event] = [*WISHES, *self.due.values(), *self.late[-5:]]
        if self.alive:
            ok = self.choose.random() > 0.4
            status = self.choose.choice([0, 1, -9, 127])
            probed = Probed(self.task.epoch, ok, "…")
            events += [probed, probed, probed, Exited(self.task.epoch, status)]
        if self.alive and self.task.state is State.STARTING:
            events.append(Hopeless(self.task.epoch, "no shell"))
        return events

    def take(self, event: Event) -> None:
        """Let `event` happen, and do all that follows from it."""
        self._note(event)
        self.task, actions = step(self.task, event, self.policy)
        for action in actions:
            self._perform(action)
        self._check()

    def _note(self, event: Event) -> None:
        self.due = {kind: due for kind, due in self.due.items() if due is not event}
        match event:
            case Exited() | Hopeless() if event.epoch == self.task.epoch and self.alive:
                self.alive = False
            case Start() if not (self.final and self.task.state is State.STOPPING):
                self.wanted, self.final = True, False
            case Stop():
                self.wanted, self.final = False, self.final or event.final
            case Hooked(hook=Hook.BEFORE_STOP, failure=str()) if event not in self.late:
                self.wanted = self.wanted or not self.final

    def _perform(self, action: Action) -> None:
        match action:
            case Spawn(epoch):
                assert not self.alive
                assert epoch == self.task.epoch
                self.alive, self.urges = True, []
            case Signal(urge):
                assert self.alive
                self.urges.append(urge)
            case Arm(epoch, timer, after):
                assert after >= 0
                self.due[timer] = TimerFired(epoch, timer)
            case Run(epoch, hook):
                assert self.alive == (hook in {Hook.AFTER_START, Hook.BEFORE_STOP})
                kind = hook if hook is Hook.AFTER_START else "hook"
                assert kind not in self.due or kind is Hook.AFTER_START
                self.due[kind] = Hooked(epoch, hook, self.choose.choice([None, "exited with 3"]))
            case Await(epoch):
                lost = self.choose.random() > 0.7
                self.due["wait"] = Hopeless(epoch, "db is gone") if lost else Cleared(epoch)
            case Abandon():
                given_up = {"wait", "hook", Timer.RETRY} & self.due.keys()
                assert given_up
                self.late += [self.due.pop(kind) for kind in sorted(given_up)]

    def _check(self) -> None:
        task, state = self.task, self.task.state
        assert task.alive == self.alive
        assert task.wanted == self.wanted
        assert task.reason
        assert self.urges == sorted(self.urges, key=list(Urge).index)
        assert self.urges.count(Urge.INTERRUPT) <= 1
        assert (task.hook is None) == ("hook" not in self.due)
        assert task.alive <= (state in PROCESS)
        assert not (state in {State.RUNNING, State.UNHEALTHY} and not task.alive)
        assert self.moves_on()

    def moves_on(self) -> bool:
        """Return whether something is on its way that takes the task out of its state."""
        match self.task.state:
            case State.WAITING:
                return "wait" in self.due
            case State.BACKOFF:
                return Timer.RETRY in self.due and not self.alive
            case State.STARTING | State.RUNNING | State.UNHEALTHY:
                return self.alive or "hook" in self.due
            case State.STOPPING if "hook" in self.due:
                return True
            case State.STOPPING:
                return self.urges[-1] is Urge.KILL or Timer.GRACE in self.due
        return self.task.state in RESTING and not self.alive


PROCESS = {State.STARTING, State.RUNNING, State.UNHEALTHY, State.STOPPING}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", range(30))
def test_random_walk(seed: int, name: str) -> None:
    """Never two processes, never a forgotten one, never stuck, never without a reason."""
    choose = random.Random(seed)
    world = World(POLICIES[name], choose)
    for _ in range(300):
        world.take(choose.choice(world.events()))
    world.take(Stop(final=True))
    for _ in range(10):
        if world.task.state not in RESTING:
            world.take(_patient(world))
    assert world.task.state in RESTING
    assert not world.task.wanted


def _patient(world: World) -> Event:
    """Return what happens next to a task that ends only when it is killed."""
    if "hook" in world.due:
        return world.due["hook"]
    if world.urges[-1:] == [Urge.KILL]:
        return Exited(world.task.epoch, -9)
    return world.due[Timer.GRACE]


def test_the_walks_see_every_state_and_every_action() -> None:
    states, kinds = set[State](), set[type[object]]()
    for policy in POLICIES.values():
        world = World(policy, random.Random(1))
        for _ in range(1000):
            world.take(world.choose.choice(world.events()))
            states.add(world.task.state)
            kinds |= {type(due) for due in world.due.values()}
    assert states == set(State)
    assert {TimerFired, Hooked, Cleared, Hopeless} <= kinds
