"""Commands that delete what is not needed any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskmux import paths, wire
from taskmux.errors import BadRequest

from .answers import Answer
from .session import Session

if TYPE_CHECKING:
    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def clean(
    session: Session,
    logs: options.OnlyLogs = False,
    events: options.OnlyEvents = False,
    everything: options.Everything = False,
    dry_run: options.DryRun = False,
) -> Answer:
    """Stop the project's tasks and delete its logs, its state and its registration."""
    if logs + events + everything > 1:
        raise BadRequest("--logs, --events and --all exclude each other", hint=None)
    if everything:
        return _wipe(session, dry_run)
    client = session.connect()
    if events:
        return client.clean(wire.Clean(events=True, dry_run=dry_run))
    return client.clean(wire.Clean(**session.where(), logs=logs, dry_run=dry_run))


def prune(session: Session, apply: options.Apply = False) -> Answer:
    """Show what nobody owns any more (processes, projects, files); --apply removes it."""
    return session.connect().prune(wire.Prune(apply=apply))


def _wipe(session: Session, dry_run: bool) -> wire.CleanReport:
    from taskmux.client.lock import alone
    from taskmux.files import discard, weigh

    from .daemon import daemon_stop

    home = session.home
    if not dry_run:
        daemon_stop(session)
    found = sorted(paths.ours(home))
    removed = [wire.Removed(str(place), weigh(place)) for place in found]
    left: list[str] = []
    if not dry_run and found:
        with alone(home / "starting.lock"):  # so that no daemon begins meanwhile
            left = [str(place) for place in found if not discard(place)]
    return wire.CleanReport(
        ok=not left, session=None, dry_run=dry_run, removed=removed, left=left, unregistered=False
    )
