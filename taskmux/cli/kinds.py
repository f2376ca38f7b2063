"""The names of events, so that a misspelt one is an error and not an empty answer."""

from __future__ import annotations

from collections.abc import Iterable

from taskmux.errors import BadRequest, closest

KINDS = (
    "task_started", "task_ready", "task_completed", "task_failed", "task_stopped", "task_killed",
    "task_restarted", "task_exited", "health_check_failed", "restart_scheduled", "auto_restart",
    "max_restarts_reached", "hook_failed", "port_conflict", "log_lines_dropped", "session_started",
    "session_stopped", "config_reloaded", "config_error", "project_registered", "project_moved",
    "project_renamed", "project_unregistered", "plugin_failed", "plugin_event", "state_damaged",
    "state_not_saved", "state_saved", "events_lost", "events_cleaned", "daemon_started",
    "alias_added", "alias_removed",
)  # fmt: skip


def check_kinds(kinds: Iterable[str]) -> None:
    """Raise `BadRequest` for a kind of event that there is none of."""
    for kind in kinds:
        if kind not in KINDS:
            hint = closest(kind, KINDS) or f"one of: {', '.join(sorted(KINDS))}"
            raise BadRequest(f"no event is called {kind!r}", hint=hint)
