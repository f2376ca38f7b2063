"""Deletes all that taskmux keeps of a user, once the daemon has ended."""

from __future__ import annotations

from pathlib import Path

from taskmux import paths
from taskmux.files import discard, weigh
from taskmux.wire import CleanReport, Removed

from .lock import alone


def wipe(home: Path, *, dry_run: bool) -> CleanReport:
    """Delete what is ours in `home`, the host config left out; report what that was, or would be.

    A daemon that begins meanwhile waits until it is done.
    """
    found = sorted(paths.ours(home))
    removed = [Removed(str(place), weigh(place)) for place in found]
    left: list[str] = []
    if found and not dry_run:
        with alone(home / "starting.lock"):
            left = [str(place) for place in found if not discard(place)]
    return CleanReport(
        ok=not left, session=None, dry_run=dry_run, removed=removed, left=left, unregistered=False
    )
