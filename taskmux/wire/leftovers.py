"""What is answered by commands that delete. As in `reports`, fields are JSON keys."""

from __future__ import annotations

from msgspec import Struct, field

from .reports import Report


class Removed(Struct, frozen=True):
    """A file, or a folder, that was deleted or would be."""

    path: str
    bytes: int


class CleanReport(Report, frozen=True, kw_only=True):
    """What was deleted; with `dry_run`, what would be."""

    ok: bool = True
    session: str | None
    """The project; null if it was about none."""

    dry_run: bool
    removed: list[Removed]
    left: list[str]
    """What could not be deleted."""

    aliases: list[str] = field(default_factory=list)
    """Those that go with the project's folder."""

    unregistered: bool
    """The project's tasks have ended, and it is not in the registry any more."""


class LostProject(Struct, frozen=True):
    """A registered project without taskmux.toml, of which nothing runs."""

    session: str
    config: str


class LostProcess(Struct, frozen=True):
    """A process of a task that has ended."""

    pid: int
    session: str
    task: str
    command: str
    listening: list[int]


class PruneReport(Report, frozen=True, kw_only=True):
    """What nobody owns any more; `applied` says whether it was removed."""

    ok: bool = True
    applied: bool
    projects: list[LostProject]
    processes: list[LostProcess]
    folders: list[Removed]
    """Logs and state of projects that are not registered."""

    files: list[Removed]
    """State files that were set aside, or never put in place."""

    left: list[str]
    """What could not be removed."""
