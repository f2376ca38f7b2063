"""Context writers: what a coding tool should know about this project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What taskmux knows of a project that a reader would otherwise guess."""

    session: str
    urls: Mapping[str, str | None]
    """Task name to address, in the order of taskmux.toml; None without a host."""


class ContextWriter(Protocol):
    """A file kept up to date, offered by `taskmux_context_writers`."""

    @property
    def name(self) -> str:
        """One word for `taskmux plugins`."""

    @property
    def path(self) -> str:
        """The file, relative to the project: `AGENTS.md`."""

    def render(self, facts: ProjectFacts, old_text: str) -> str:
        """Return the file's new text. Rendering its own output must change nothing."""
