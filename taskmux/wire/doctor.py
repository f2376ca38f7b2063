"""What is answered about how well taskmux itself is. As in `reports`, fields are JSON keys."""

from __future__ import annotations

from msgspec import Struct, field

from .reports import Report


class Finding(Struct, frozen=True):
    """One thing that was looked at. `fix` says what to do where it is not `ok`."""

    name: str
    ok: bool
    detail: str
    fix: str | None = None


class DoctorReport(Report, frozen=True, kw_only=True):
    """Everything that was looked at; `ok` if nothing is amiss."""

    ok: bool
    checks: list[Finding]
    names: list[str] = field(default_factory=list)
    """The names of tasks that should lead to this machine, where a daemon knows."""
