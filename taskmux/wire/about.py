"""What the daemon says of itself."""

from __future__ import annotations

from msgspec import Struct, field

from .reports import Report


class ListenerReport(Struct, frozen=True):
    """A socket that the daemon was handed, as it could not have bound it: `https` or `http`."""

    use: str
    address: str
    port: int


class DaemonReport(Report, frozen=True, kw_only=True):
    """The daemon itself."""

    ok: bool = True
    running: bool
    pid: int | None
    version: str
    protocol: int
    started_at: str | None
    home: str
    api_port: int | None
    """Where the WebSocket listens; null if it could not be bound, see `reason`."""

    projects: int
    tasks: int
    reason: str
    listeners: list[ListenerReport] = field(default_factory=list)
    """Sockets that were bound for it, by root or by systemd."""
