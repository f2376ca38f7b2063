"""Tunnels: public names for tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .context import PluginContext


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
