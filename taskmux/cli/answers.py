"""What commands return beside reports: streams, lines of output, and pictures with a choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taskmux.wire import HealthReport, Report

if TYPE_CHECKING:
    from taskmux.logs import Batch


@dataclass(frozen=True, slots=True)
class Detailed:
    """A report of health whose picture says how each task was probed, too."""

    report: HealthReport


@dataclass(frozen=True, slots=True)
class Output:
    """Lines that tasks printed: `batches` ends, or, while followed, does not."""

    tasks: Sequence[str]
    batches: Iterator[Batch]
    raw: bool = False
    next: str | None = None
    """The cursor behind the lines; None while they are followed."""

    single: bool = False
    """One task was asked for, by its name."""


@dataclass(frozen=True, slots=True)
class Happenings:
    """Events as they come; does not end by itself."""

    events: Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Foreign:
    """What a plugin's command answered: facts for programs, and a text for people."""

    facts: Mapping[str, Any]
    text: str

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked to."""
        return bool(self.facts["ok"])


Answer = Report | Detailed | Output | Happenings | Foreign | int
"""What a command returns. A number is the exit status of one that showed everything itself."""
