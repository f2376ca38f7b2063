"""Follows a project's taskmux.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskmux import wire

from .answers import Answer, Happenings
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from taskmux.client import Client

    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")

KINDS = ("config_reloaded", "config_error")


def watch(session: Session, apply: options.RestartChanged = False) -> Answer:
    """Show what each change of taskmux.toml comes to, until Ctrl-C. The daemon applies it."""
    report = session.connect().status(wire.Status(**session.where()))
    session.notice(f"watching {report.config}")
    if report.error is not None:
        session.notice(report.error)
    return Happenings(_changes(session.visit(), report.session, apply))


def _changes(client: Client, session: str, apply: bool) -> Iterator[dict[str, Any]]:
    seen: int | None = None
    while True:  # the stream ends when the daemon is restarted
        request = wire.Subscribe(session=session, events=KINDS, after=seen)
        for push in client.subscribe(request):
            event = {key: value for key, value in push.items() if key != "push"}
            seen = event.get("seq", seen)
            yield event
            changed = tuple(event.get("restart_needed", ()))
            if apply and changed:
                client.restart(wire.RestartTasks(session=session, tasks=changed))
