"""What all connections of browsers have in common."""

from __future__ import annotations

import asyncio
from typing import Protocol

from .directory import Directory
from .exchange import Lines


class Guest(Protocol):
    """A connection of a browser."""

    @property
    def address(self) -> str:
        """Where it comes from."""

    @property
    def idle(self) -> float | None:
        """Since when, on the monotonic clock, it has had nothing to do; None if it has."""

    def leave(self) -> None:
        """Go as soon as it has nothing to do, without a loss if possible."""

    def close(self) -> None:
        """Send what is written, and go."""

    def abort(self) -> None:
        """Break it off."""


class Hub(Protocol):
    """The proxy, as the connections to it see it."""

    scheme: str
    port: int
    leaving: bool
    """Whether everybody is to go, and who asks is told so."""

    @property
    def directory(self) -> Directory:
        """Who is behind a name."""

    @property
    def lines(self) -> Lines:
        """Where connections to tasks come from."""

    @property
    def guests(self) -> set[Guest]:
        """Every connection there is."""

    def named(self, transport: asyncio.Transport) -> str | None:
        """Return the name that the client gave while it began to encrypt; None if none."""
