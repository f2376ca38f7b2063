"""Health probes: is this task well?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One answer, with a few words for people: `HTTP 500`, `connection refused`."""

    ok: bool
    detail: str


Probe = Callable[[], Awaitable[ProbeResult]]
"""Ask once. taskmux decides how often, how long to wait, and what the answer means."""


@dataclass(frozen=True, slots=True)
class ShellRun:
    """How a shell command ended. `status` is negative for a signal; `tail` is its last output."""

    status: int
    tail: str


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a probe may want to know of a task's table in taskmux.toml."""

    name: str
    host: str | None = None
    health_url: str | None = None
    health_check: str | None = None
    health_expected_status: int = 200
    health_expected_body: str | None = None
    health_probe: str | None = None
    """The probe the table asks for by name; None lets taskmux choose."""

    health_options: Mapping[str, Any] = field(default_factory=dict)
    """The table's `health_options`, for the probe named; not yet validated."""

    health_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """One life of a task, to be asked after. A new one is made for every process."""

    task: TaskFacts
    port: int
    """The task's own `$PORT`."""

    pid: int
    """The leader of the task's session."""

    cwd: Path
    environ: Mapping[str, str]
    run: Callable[[str], Awaitable[ShellRun]]
    """Run a shell command with the task's folder and environment."""

    listening: Callable[[], Awaitable[Sequence[int]]]
    """Return the TCP ports the task's processes listen on."""


class HealthProbe(Protocol):
    """A way to tell whether a task is well, offered by `taskmux_health_probes`."""

    @property
    def name(self) -> str:
        """What users write in `health_probe = "…"`; the `method` of `last_health`."""

    @property
    def summary(self) -> str:
        """One line for `taskmux plugins`."""

    @property
    def rank(self) -> int:
        """Where it stands among the probes that apply; the lowest is used. Others' use 50."""

    def applies(self, task: TaskFacts) -> bool:
        """Return whether to ask this probe when the table names none.

        Called when the configuration is read. Raise `ValueError`, with a
        sentence, for an option of this probe's that cannot be meant.
        """

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what asks once. Called for every process of the task."""
