"""What a task needs to run: how it is declared, and what one life of it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from taskmux.contracts import HealthProbe, TaskFacts
from taskmux.lifecycle import Hook, Policy
from taskmux.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Spec:
    """One task as declared, ready to be carried out. Times are in seconds."""

    facts: TaskFacts
    policy: Policy
    command: str
    cwd: Path
    probe: HealthProbe
    health_interval: float = 10.0
    ready_log: Pattern | None = None
    hooks: Mapping[Hook, tuple[str, ...]] = field(default_factory=dict)
    """The commands of each hook, in the order they run."""

    hook_timeout: float = 60.0

    @property
    def name(self) -> str:
        """The task's name."""
        return self.facts.name


@dataclass(frozen=True, slots=True)
class Outfit:
    """What one process of a task is started with."""

    environ: Mapping[str, str]
    port: int
    run: int
    """Number of this life, for people."""

    run_id: str
    """Marker in the environment of everything that belongs to this life."""


class Wardrobe:
    """One outfit for each life, made by `make`: its hooks and its process are given the same."""

    def __init__(self, make: Callable[[], Outfit]) -> None:
        self._make = make
        self._newest: tuple[int, Outfit] | None = None

    def outfit(self, epoch: int) -> Outfit:
        """Return the outfit of that life; raise what `make` raises."""
        if self._newest is None or self._newest[0] != epoch:
            self._newest = epoch, self._make()
        return self._newest[1]

    def keep(self, epoch: int, outfit: Outfit) -> None:
        """Have that one for that life."""
        self._newest = epoch, outfit
