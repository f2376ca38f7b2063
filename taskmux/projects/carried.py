"""All projects, for another program of this process to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskmux.supervisor import CarriedProject


@dataclass(frozen=True, slots=True)
class CarriedProjects:
    """What is registered, whatever could be written down of it, and what is at work."""

    paths: Mapping[str, str]
    """The taskmux.toml of each, by session."""

    opened: Mapping[str, CarriedProject]
    """Those that have a supervisor, by session."""

    @property
    def at_work(self) -> int:
        """How many processes of tasks there are."""
        members = (
            member for project in self.opened.values() for member in project.members.values()
        )
        return sum(member.runner.life is not None for member in members)
