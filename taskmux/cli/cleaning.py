"""Commands that delete what is not needed any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from taskmux import wire
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
    certs: options.OnlyCerts = False,
    everything: options.Everything = False,
    dry_run: options.DryRun = False,
) -> Answer:
    """Stop the project's tasks and delete its logs, its state and its registration."""
    if logs + events + certs + everything > 1:
        raise BadRequest("--logs, --events, --certs and --all exclude each other", hint=None)
    if everything:
        return _wipe(session, dry_run)
    if certs:
        from taskmux.client.wipe import unmint

        return unmint(session.home, dry_run=dry_run)
    if events:
        return session.connect().clean(wire.Clean(only="events", dry_run=dry_run))
    only: Literal["logs"] | None = "logs" if logs else None
    return session.connect().clean(wire.Clean(**session.where(), only=only, dry_run=dry_run))


def prune(session: Session, apply: options.Apply = False) -> Answer:
    """Show what nobody owns any more (processes, projects, files); --apply removes it."""
    return session.connect().prune(wire.Prune(apply=apply))


def _wipe(session: Session, dry_run: bool) -> wire.CleanReport:
    from taskmux.client.wipe import wipe

    from .daemon import daemon_stop

    if not dry_run:
        daemon_stop(session)
    return wipe(session.home, dry_run=dry_run)
