"""What happens to a task, and what may be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from .task import Hook, Timer, Urge

# Events: what happened.


@dataclass(frozen=True, slots=True)
class Start:
    """The user wants the task up."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The user wants the task down: without asking it, if `kill`; come what may, if `final`."""

    kill: bool = False
    final: bool = False


@dataclass(frozen=True, slots=True)
class Cleared:
    """Everything the task depends on is ready."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Hopeless:
    """It cannot be started: a dependency is lost, or no process could be made.

    It is `passing` if the system had nothing left to make one of.
    """

    epoch: int
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Hooked:
    """A hook ended; well, if there is no `failure`."""

    epoch: int
    hook: Hook
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended, and nothing of it is left. `status` is negative for a signal."""

    epoch: int
    status: int


@dataclass(frozen=True, slots=True)
class Probed:
    """A health probe answered. `detail` is for people: `HTTP 500`."""

    epoch: int
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Unasked:
    """A health probe could not be asked, for want of something of ours: nothing is known."""

    epoch: int
    detail: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer set by an earlier `Arm` ran out."""

    epoch: int
    timer: Timer


Event = Start | Stop | Cleared | Hopeless | Hooked | Exited | Probed | Unasked | TimerFired


# Actions: what to do about it.


@dataclass(frozen=True, slots=True)
class Await:
    """Watch the dependencies; answer `Cleared` or `Hopeless`."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Run:
    """Run a hook; answer `Hooked`."""

    epoch: int
    hook: Hook


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up the wait, the hook or the retry under way; nobody wants its answer."""


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start a process and its probe; report both under `epoch`."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Signal:
    """Send the process, and all of its group, a signal."""

    urge: Urge


@dataclass(frozen=True, slots=True)
class Arm:
    """Send `TimerFired(epoch, timer)` after a while, in place of any such timer still armed."""

    epoch: int
    timer: Timer
    after: float


Action = Await | Run | Abandon | Spawn | Signal | Arm
