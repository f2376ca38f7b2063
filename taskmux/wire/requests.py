"""What may be asked of the daemon: one frozen struct a command, its fields the `params`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Anything the daemon can be asked."""


class ProjectRequest(Request, frozen=True, kw_only=True):
    """A request about one project, named by its id or by the path of its taskmux.toml.

    A `config` that is not registered yet is registered by asking. With neither,
    the only registered project is meant.
    """

    session: str | None = None
    config: str | None = None


class TasksRequest(ProjectRequest, frozen=True, kw_only=True):
    """A request about some tasks: `task`, or all of `tasks`; with neither, the whole project."""

    task: str | None = None
    tasks: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks named, in order; empty for the whole project."""
        return self.tasks if self.task is None else (self.task, *self.tasks)


class Hello(Request, frozen=True, kw_only=True):
    """Say who you are: answered with `DaemonReport`."""


class ListProjects(Request, frozen=True, kw_only=True):
    """Every registered project: `ProjectsReport`."""


class ListPlugins(Request, frozen=True, kw_only=True):
    """Every plugin the daemon knows: `PluginsReport`."""


class Diagnose(Request, frozen=True, kw_only=True):
    """How well the daemon is itself: `DoctorReport`."""


class StatusAll(Request, frozen=True, kw_only=True):
    """Every project with its tasks: `ProjectsReport` with `sessions` filled."""


class Status(ProjectRequest, frozen=True, kw_only=True):
    """Every task of a project: `StatusReport`."""


class Health(ProjectRequest, frozen=True, kw_only=True):
    """How well each task is: `HealthReport`."""


class Inspect(ProjectRequest, frozen=True, kw_only=True):
    """Everything about one task: `InspectReport`."""

    task: str


class StartTasks(TasksRequest, frozen=True, kw_only=True):
    """Start tasks and what they need: `ActionReport` for one named task, else `ActionsReport`."""

    environ: Mapping[str, str] | None = None
    """The caller's shell environment; None keeps the one the task was last started with."""

    if_stopped: bool = False
    wait: bool = True
    """Answer once every task is ready or can't become so; otherwise once the wish is known."""

    timeout: float | None = None
    begun: bool = False
    """A restart of the daemon has cut the waiting short, and said so: only wait, and answer."""


class RestartTasks(TasksRequest, frozen=True, kw_only=True):
    """Stop tasks and start them afresh; answers as `start` does."""

    environ: Mapping[str, str] | None = None
    wait: bool = True
    timeout: float | None = None
    begun: bool = False
    """As in `StartTasks`."""


class StopTasks(TasksRequest, frozen=True, kw_only=True):
    """Stop tasks, dependents first, and answer when nothing of them is left."""


class Kill(TasksRequest, frozen=True, kw_only=True):
    """SIGKILL tasks, without asking them first."""


class Wait(TasksRequest, frozen=True, kw_only=True):
    """Wait until every task is `ready`, has ended (`exit`, `completed`), or printed `log:REGEX`."""

    until: str = "ready"
    timeout: float | None = None


class Events(Request, frozen=True, kw_only=True):
    """The event history: `EventsReport`. `since` and `until` as in `taskmux events`."""

    session: str | None = None
    config: str | None = None
    task: str | None = None
    kinds: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    after: int | None = None
    lines: int | None = None


class Logs(TasksRequest, frozen=True, kw_only=True):
    """Lines of one task (`LogsReport`) or of several by time (`MergedLogsReport`).

    An answer has room for some 256 KiB of them, the oldest of what is asked for;
    the rest is asked for by `after`, without `lines`.
    """

    lines: int | None = None
    """The last so many. None is all, or the last 100 where nothing else limits them."""

    since: str | None = None
    until: str | None = None
    grep: str | None = None
    context: int = 0
    run: int | None = None
    after: str | None = None
    """The `next` of an earlier answer; `""` is the beginning."""


class CleanLogs(TasksRequest, frozen=True, kw_only=True):
    """Delete log files; a running task writes on into a new one."""


class Subscribe(Request, frozen=True, kw_only=True):
    """Stream events, of the kinds named or all, and the output of the tasks named in `logs`."""

    session: str | None = None
    config: str | None = None
    events: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    after: int | None = None
    """Begin with the events that came after this `seq`."""


class Register(Request, frozen=True, kw_only=True):
    """Add a project to the registry: `SessionReport`."""

    config: str
    force: bool = False


class Unregister(Request, frozen=True, kw_only=True):
    """Stop a project's tasks and forget it: `SessionReport`."""

    session: str


Field = str | bool | int | float | tuple[str, ...] | dict[str, str]
"""What a key of a task's table may hold; the last one is `env`."""


class Add(ProjectRequest, frozen=True, kw_only=True):
    """Add a task to taskmux.toml: `AddReport`. `fields` is its table, as TOML would hold it."""

    task: str
    command: str
    fields: Mapping[str, Field] = {}


class Remove(ProjectRequest, frozen=True, kw_only=True):
    """Stop a task and remove it from taskmux.toml: `AddReport`."""

    task: str


class Reload(ProjectRequest, frozen=True, kw_only=True):
    """Read taskmux.toml again now: `SessionReport`. With `apply`, restart what changed."""

    apply: bool = False


class AliasAdd(ProjectRequest, frozen=True, kw_only=True):
    """Have a port of this machine reached by a name of the project's: `AliasChange`."""

    name: str
    port: int
    host: str | None = None
    """A label, `@` or `*`, as of a task; None is the alias's name."""


class AliasList(ProjectRequest, frozen=True, kw_only=True):
    """Every alias of a project: `AliasesReport`."""


class AliasRemove(ProjectRequest, frozen=True, kw_only=True):
    """Forget an alias: `AliasChange`."""

    name: str


class Url(ProjectRequest, frozen=True, kw_only=True):
    """Where a task or an alias is found: `UrlReport`; without a name, all: `UrlsReport`."""

    name: str | None = None


class Clean(ProjectRequest, frozen=True, kw_only=True):
    """Delete all that is kept of a project, its registration too, once its tasks have ended.

    Or `only` its logs, or only the event history, which is that of all projects.
    """

    only: Literal["logs", "events"] | None = None
    dry_run: bool = False
    """Delete nothing, and answer what would be."""


class Prune(Request, frozen=True, kw_only=True):
    """Find what nobody owns any more: `PruneReport`. With `apply`, remove it."""

    apply: bool = False


class Shutdown(Request, frozen=True, kw_only=True):
    """End the daemon and every task: `DaemonReport`, after the last task is gone."""

    resume: bool = False
    """Have the next daemon start again what runs now."""

    listeners: str | None = None
    """A Unix socket to leave the sockets at that were bound for the daemon."""


class Renew(Request, frozen=True, kw_only=True):
    """Restart the daemon under its tasks, which go on as they are.

    The connection ends without an answer once that has happened; `hello` tells then
    who answers. With `port`, the WebSocket moves there.
    """

    port: int | None = None
    listeners: str | None = None
    """A Unix socket at which more sockets are handed to the daemon."""
