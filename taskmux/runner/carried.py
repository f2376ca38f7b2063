"""A task at work as plain values: for others to look at, and for a next program to go on with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from taskmux.lifecycle import Task
from taskmux.logs import Unfinished

from .outfit import Outfit


@dataclass(frozen=True, slots=True)
class Health:
    """One answer of a task's probe; `ok` is None where it could not be asked."""

    ok: bool | None
    method: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Ending:
    """What the last stop took: the hardest signal, and what it could not end."""

    signal: str | None = None
    survivors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CarriedLife:
    """A process at work."""

    pid: int
    terminal: int
    """The descriptor of our end."""

    outfit: Outfit
    started_at: datetime
    ready: bool


@dataclass(frozen=True, slots=True)
class Carried:
    """A task, with all that its runner knows of it."""

    task: Task
    life: CarriedLife | None
    unfinished: Unfinished
    health: Health | None
    status: int | None
    ending: Ending
    retry: float
    """Seconds left of its backoff."""
