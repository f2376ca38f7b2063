"""A project at work, for another program of this process to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskmux.runner import Carried
from taskmux.store import ProjectMemory


@dataclass(frozen=True, slots=True)
class Origin:
    """What a process was started from: a taskmux.toml as it was then, and where."""

    text: str
    folder: str


@dataclass(frozen=True, slots=True)
class CarriedMember:
    """One task, beside what is remembered of it anyway."""

    runner: Carried
    counts: Mapping[str, int]
    origin: Origin | None
    """What its process was started from; None if that is not outdated."""

    spared: tuple[str, ...] = ()
    """Dependencies that it does not wait for."""


@dataclass(frozen=True, slots=True)
class CarriedProject:
    """Everything that a supervisor knows."""

    text: str
    """The taskmux.toml that is in force."""

    memory: ProjectMemory
    members: Mapping[str, CarriedMember]
