"""What crosses the line between taskmux and a plugin, in both directions.

A plugin needs none of these classes at run time: any object of the right shape
will do. taskmux builds what goes in; the Protocols say what must come back, and
`taskmux.testing` holds the tests that prove it. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # 30 ms between them, in every command that reads a taskmux.toml
    from ipaddress import IPv4Address, IPv6Address
    from logging import Logger
    from pathlib import Path

__all__ = [
    "Check", "Command", "Commands", "ContextWriter", "HealthProbe", "HostRecord", "HostResolver",
    "OpenResolver", "OpenTunnel", "PluginContext", "Probe", "ProbeResult", "ProbeTarget",
    "ProjectFacts", "ShellRun", "TaskFacts", "TunnelBackend", "TunnelRoute", "TunnelSetting",
    "TunnelState",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What taskmux lends a plugin while it is open."""

    settings: Mapping[str, Any]
    """The plugin's own table from the host config, not yet validated."""

    state_dir: Path
    """A folder only this plugin writes to. It survives restarts."""

    log: Logger

    report: Callable[[str, Mapping[str, Any]], None]
    """Put an event of the plugin's own, by kind and facts, on the bus; returns at once."""


# Host resolvers: names that a browser on this machine can reach.


@dataclass(frozen=True, slots=True)
class HostRecord:
    """One name that should resolve on this machine, without a final dot."""

    name: str
    address: IPv4Address | IPv6Address


class OpenResolver(Protocol):
    """A resolver at work. Leaving its context withdraws whatever it published."""

    async def publish(self, records: Sequence[HostRecord]) -> None:
        """Make exactly `records` resolve, in place of any published before."""


class HostResolver(Protocol):
    """A way to make names resolve, offered by `taskmux_host_resolvers`."""

    @property
    def name(self) -> str:
        """What users write in `host_resolver = "…"`: lower case, words joined by `_`."""

    @property
    def summary(self) -> str:
        """One line for `taskmux plugins`."""

    def prepare_as_root(self, names: Sequence[str]) -> None:
        """Edit system files while the daemon is still root; `names` are those known so far.

        The only plugin code that ever runs as root, and only in the resolver
        the user chose. A daemon that started unprivileged never calls it.
        """

    def open(self, context: PluginContext) -> AbstractAsyncContextManager[OpenResolver]:
        """Acquire whatever is needed, yield the resolver, give it all back."""


# Tunnels: public names for tasks.


@dataclass(frozen=True, slots=True)
class TunnelRoute:
    """One task that should be reachable from the internet."""

    session: str
    task: str
    public_hostname: str | None
    """None asks the backend to choose one."""

    url: str
    """Where the task answers on this machine."""


@dataclass(frozen=True, slots=True)
class TunnelState:
    """How one route fares. `public_url` is None until it is known."""

    task: str
    public_url: str | None
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class TunnelSetting:
    """One value a backend wants to know before it can work."""

    name: str
    title: str
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One preflight check. `fix` says what to do when it is not `ok`."""

    name: str
    ok: bool
    detail: str
    fix: str | None = None


class OpenTunnel(Protocol):
    """A backend at work. Leaving its context withdraws every route."""

    async def publish(self, routes: Sequence[TunnelRoute]) -> None:
        """Make exactly `routes` reachable, in place of any published before."""

    def status(self) -> Sequence[TunnelState]:
        """Return how each published route fares."""


class TunnelBackend(Protocol):
    """A way to reach tasks from outside, offered by `taskmux_tunnel_backends`."""

    @property
    def name(self) -> str:
        """What users write in `tunnel = "…"`."""

    @property
    def summary(self) -> str:
        """One line for `taskmux plugins`."""

    @property
    def settings(self) -> Sequence[TunnelSetting]:
        """What the wizard asks for, in order."""

    async def choices(self, setting: str, known: Mapping[str, str]) -> Sequence[tuple[str, str]]:
        """Return value and title of each answer possible, given those `known`; () for any."""

    async def check(
        self, settings: Mapping[str, Any], routes: Sequence[TunnelRoute]
    ) -> Sequence[Check]:
        """Try everything that `open` will need, changing nothing."""

    async def setup(self, settings: Mapping[str, Any], routes: Sequence[TunnelRoute]) -> None:
        """Create what must exist beforehand. Doing it again changes nothing."""

    def open(self, context: PluginContext) -> AbstractAsyncContextManager[OpenTunnel]:
        """Acquire whatever is needed, yield the tunnel, give it all back."""


# Health probes: is this task well?


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One answer, with a few words for people: `HTTP 500`, `connection refused`."""

    ok: bool
    detail: str


Probe = Callable[[], Awaitable[ProbeResult]]
"""Ask once. taskmux decides how often, how long to wait, and what the answer means."""


@dataclass(frozen=True, slots=True)
class ShellRun:
    """How a shell command ended. `status` is negative for a signal; `tail` is its last output."""

    status: int
    tail: str


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a probe may want to know of a task's table in taskmux.toml."""

    name: str
    host: str | None = None
    health_url: str | None = None
    health_check: str | None = None
    health_expected_status: int = 200
    health_expected_body: str | None = None
    health_probe: str | None = None
    """The probe the table asks for by name; None lets taskmux choose."""

    health_options: Mapping[str, Any] = field(default_factory=dict)
    """The table's `health_options`, for the probe named; not yet validated."""

    health_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """One life of a task, to be asked after. A new one is made for every process."""

    task: TaskFacts
    port: int
    """The task's own `$PORT`."""

    pid: int
    """The leader of the task's session."""

    cwd: Path
    environ: Mapping[str, str]
    run: Callable[[str], Awaitable[ShellRun]]
    """Run a shell command with the task's folder and environment."""

    listening: Callable[[], Awaitable[Sequence[int]]]
    """Return the TCP ports the task's processes listen on."""


class HealthProbe(Protocol):
    """A way to tell whether a task is well, offered by `taskmux_health_probes`."""

    @property
    def name(self) -> str:
        """What users write in `health_probe = "…"`; the `method` of `last_health`."""

    @property
    def summary(self) -> str:
        """One line for `taskmux plugins`."""

    @property
    def rank(self) -> int:
        """Where it stands among the probes that apply; the lowest is used. Others' use 50."""

    def applies(self, task: TaskFacts) -> bool:
        """Return whether to ask this probe when the table names none.

        Called when the configuration is read. Raise `ValueError`, with a
        sentence, for an option of this probe's that cannot be meant.
        """

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what asks once. Called for every process of the task."""


# Context writers: what a coding tool should know about this project.


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """What taskmux knows of a project that a reader would otherwise guess."""

    session: str
    urls: Mapping[str, str | None]
    """Task name to address, in the order of taskmux.toml; None without a host."""


class ContextWriter(Protocol):
    """A file kept up to date, offered by `taskmux_context_writers`."""

    @property
    def name(self) -> str:
        """One word for `taskmux plugins`."""

    @property
    def path(self) -> str:
        """The file, relative to the project: `AGENTS.md`."""

    def render(self, facts: ProjectFacts, old_text: str) -> str:
        """Return the file's new text. Rendering its own output must change nothing."""


Command = tuple[str, Callable[[], Any]]
"""A command's name, and what returns its Typer app."""

Commands = Iterable[Command]
