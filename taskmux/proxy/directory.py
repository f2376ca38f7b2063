"""Who is behind a host name, as the proxy asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """A port of loopback, and whose it is."""

    port: int
    session: str
    name: str
    """The task's, or the alias's."""

    alias: bool = False
    """Whether it is none of our tasks' ports: nothing else is known of who listens there."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about it."""

    does: str
    """What comes of it, as an order: `Start it`."""

    command: str


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a request gets no answer from a task; `facts` are for whoever reads JSON."""

    status: int
    code: str
    """One word for programs: `unknown_host`, `task_down`."""

    why: str
    hint: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    location: str | None = None
    """Where to ask instead: the beginning of an address, without a path."""

    retry: bool = False
    """Whether it may be different soon."""

    steps: tuple[Step, ...] = ()
    """What to type, the most useful first."""

    public: str | None = None
    """What those may know who are not at this machine; None for all of `why`."""


class Directory(Protocol):
    """Knows every project's host names."""

    def find(self, host: str) -> Target | Absence:
        """Return who is behind a name in lower case."""

    def absent(self, target: Target, why: str) -> Absence:
        """Return what to say where nobody answered at a target."""


def cut_short(absence: Absence, why: str) -> Absence:
    """Return what to say where a task was reached, and gave no answer that can be passed on.

    `absence` is what would be said had it not been reached.
    """
    task = absence.facts.get("task", "the task")
    said = f"{task} gave no answer that can be passed on: {why}"
    return replace(
        absence, status=502, code="bad_gateway", why=said, hint=None, retry=False, public=None
    )
