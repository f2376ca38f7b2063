"""What a check-up found, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux.wire import DoctorReport

from .plain import Ink, plain


def diagnosed(report: DoctorReport, ink: Ink) -> Iterator[str]:
    """Yield a line for each thing, and below what is amiss what to do about it."""
    width = max((len(plain(one.name)) for one in report.checks), default=0)
    for one in report.checks:
        mark = ink("✓", "green") if one.ok else ink("✗", "red")
        yield f"{mark} {plain(one.name).ljust(width)}  {plain(one.detail)}".rstrip()
        if one.fix is not None and not one.ok:
            yield f"  {' ' * width}  fix: {plain(one.fix)}"
    amiss = sum(not one.ok for one in report.checks)
    yield "All is well" if not amiss else f"{amiss} of {len(report.checks)} to look at"
