"""What a command answers with. The fields are the keys of the JSON, at every door.

Instants are RFC 3339 strings in UTC, times are seconds, sizes bytes. A field
that is not in an answer at all does not apply to it.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from .reached import AliasReport, ProxyReport


class Report(Struct, frozen=True, kw_only=True):
    """Anything a command can show."""


class ActionReport(Report, frozen=True, kw_only=True):
    """What was done about one task.

    `action` is one of `started`, `already_running`, `completed`, `restarted`,
    `stopped`, `already_stopped`, `killed`, `requested` (with `wait` false), `failed`,
    `overtaken` (by a newer request).
    """

    ok: bool = True
    task: str
    action: str
    state: str
    reason: str
    signal: str | UnsetType | None = UNSET
    """The last signal a stop needed; null if it needed none."""

    ms: int | UnsetType = UNSET
    survivors: list[int] | UnsetType = UNSET
    """Processes a stop could not end; always empty unless the kernel holds them."""

    error: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET
    hint: str | UnsetType | None = UNSET


class ActionsReport(Report, frozen=True, kw_only=True):
    """What was done about several tasks, in the order of taskmux.toml."""

    ok: bool
    session: str
    results: list[ActionReport]


class LastHealth(Struct, frozen=True):
    """The newest answer of a task's probe; `method` is the probe's name."""

    ok: bool
    method: str
    reason: str
    at: str


class TunnelReport(Struct, frozen=True):
    """A task's way to the internet."""

    backend: str
    public_hostname: str | None
    public_url: str | None
    state: str


class TaskCounts(Struct, frozen=True):
    """How often things happened to a task since the daemon knows it."""

    starts: int
    restarts: int
    health_failures: int
    lines_dropped: int
    """Lines of output that could not be written to the log."""


class TaskReport(Report, frozen=True, kw_only=True):
    """One task, as the daemon sees it. `state` is one of `lifecycle.State`."""

    name: str
    state: str
    running: bool
    healthy: bool
    command: str
    cwd: str
    auto_start: bool
    depends_on: dict[str, str]
    restart_policy: str
    max_restarts: int
    host: str | None
    url: str | None
    """Where a browser finds it; null without a host, or while there is no proxy."""

    port: int
    """The task's own `$PORT`."""

    internal_url: str
    pid: int | None
    run: int
    started_at: str | None
    exit_code: int | None
    signal: int | None
    restarts: int
    """Restarts since it was last well, or was started by the user."""

    reason: str
    restart_needed: bool
    """Its table changed since it was started."""

    last_health: LastHealth | None
    tunnel: TunnelReport | None
    events: TaskCounts
    cpu: float
    """Share of one core, 1.0 for all of it, since the last time somebody asked."""

    memory: int


class StatusReport(Report, frozen=True, kw_only=True):
    """Every task of a project, in the order of its file."""

    session: str
    running: bool
    """Whether any task has a process."""

    state: str
    """`ok`, `config_missing` or `error`; `error` then says what is wrong with taskmux.toml."""

    error: str | None
    config: str
    tasks: list[TaskReport]
    warnings: list[str]
    """What taskmux itself cannot do as it should just now, in sentences: write to a full disk.

    And who but this machine reaches the tasks, where somebody does.
    """

    proxy: ProxyReport
    daemon_pid: int
    aliases: list[AliasReport] = field(default_factory=list)


class HealthRow(Struct, frozen=True):
    """How well one task is."""

    name: str
    state: str
    healthy: bool
    method: str | None
    """The probe; null until it was first asked."""

    reason: str
    at: str | None


class HealthReport(Report, frozen=True, kw_only=True):
    """How well each task of a project is. `total_count` leaves out tasks that are stopped."""

    session: str
    healthy_count: int
    total_count: int
    tasks: list[HealthRow]


class ProcessReport(Struct, frozen=True):
    """One process of a task."""

    pid: int
    parent: int
    command: str
    memory: int


class InspectReport(Report, frozen=True, kw_only=True):
    """Everything about one task: why is it as it is?"""

    session: str
    task: TaskReport
    config: dict[str, Any]
    """Its table as resolved: every field, with its default where the file is silent."""

    processes: list[ProcessReport]
    listening: list[int]
    log: str
    last_health_failures: list[dict[str, Any]]
    last_events: list[dict[str, Any]]
    last_lines: list[str]


class LineReport(Report, frozen=True, kw_only=True):
    """One line of output."""

    task: str
    ts: str
    text: str


class LogsReport(Report, frozen=True, kw_only=True):
    """Lines of one task, `2024-01-01T14:00:00.123 text`; `next` continues after them."""

    task: str
    lines: list[str]
    next: str
    more: bool | UnsetType = UNSET
    """Whether there are lines that did not fit: they come after `next`. Only in answers that
    have a limit."""


class MergedLogsReport(Report, frozen=True, kw_only=True):
    """Lines of several tasks, by time."""

    tasks: list[str]
    lines: list[LineReport]
    next: str
    more: bool | UnsetType = UNSET


class EventsReport(Report, frozen=True, kw_only=True):
    """Events, oldest first. Each has `ts`, `seq`, `event`, `session`, and facts of its kind."""

    events: list[dict[str, Any]]
    count: int
    next: int


class WaitReport(Report, frozen=True, kw_only=True):
    """What was waited for has happened, or (`ok` false) cannot any more."""

    ok: bool
    session: str
    until: str
    results: list[ActionReport]


class ProjectReport(Struct, frozen=True):
    """One registered project."""

    session: str
    config: str
    state: str
    error: str | None
    tasks: int
    running: int


class ProjectsReport(Report, frozen=True, kw_only=True):
    """Every registered project; `sessions` holds their status when that was asked for."""

    projects: list[ProjectReport]
    sessions: list[StatusReport] | UnsetType = UNSET


class SessionReport(Report, frozen=True, kw_only=True):
    """What became of a project.

    It was `registered`, `already_registered`, `moved`, `unregistered` or `reloaded`.
    """

    ok: bool = True
    session: str
    action: str
    config: str
    changed: list[str] | UnsetType = UNSET
    """Tasks whose table changed while they ran; restart them to apply it."""


class AddReport(Report, frozen=True, kw_only=True):
    """A task was `added` to, or `removed` from, taskmux.toml."""

    ok: bool = True
    session: str
    task: str
    action: str
    config: str
