"""Deletes all that taskmux keeps of a user, once the daemon has ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskmux import paths
from taskmux.files import discard, weigh
from taskmux.lock import alone
from taskmux.wire import CleanReport, Removed


def wipe(home: Path, *, dry_run: bool) -> CleanReport:
    """Delete what is ours in `home`, the host config left out; report what that was, or would be.

    A daemon that begins meanwhile waits until it is done.
    """
    found = sorted(paths.ours(home))
    return _deleted(home, found, dry_run=dry_run)


def unmint(home: Path, *, dry_run: bool) -> CleanReport:
    """Delete the certificates that somebody asked for; report what that was, or would be.

    Who signed them stays, and so does whoever trusts that.
    """
    folder = paths.minted(home)
    return _deleted(home, sorted(folder.iterdir()) if folder.is_dir() else [], dry_run=dry_run)


def _deleted(home: Path, found: Sequence[Path], *, dry_run: bool) -> CleanReport:
    removed = [Removed(str(place), weigh(place)) for place in found]
    left: list[str] = []
    if found and not dry_run:
        with alone(home / "starting.lock"):
            left = [str(place) for place in found if not discard(place)]
    return CleanReport(
        ok=not left, session=None, dry_run=dry_run, removed=removed, left=left, unregistered=False
    )
