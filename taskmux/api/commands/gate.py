"""Where requests come in: what may, and who is still inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from anyio import CancelScope, move_on_after

from taskmux.errors import DaemonRenewing, TaskmuxError

PAUSE = 0.01

FAREWELL = 0.02
"""Seconds in which the last answers reach their sockets."""


class Gate:
    """Open, until something new would be too much for a daemon that ends, or changes."""

    def __init__(self) -> None:
        self._refusal: TaskmuxError | None = None
        self._inside: set[CancelScope] = set()

    def check(self) -> None:
        """Raise why nothing new is taken, if it is not."""
        if self._refusal is not None:
            raise self._refusal

    def close(self, refusal: TaskmuxError) -> None:
        """Raise that for all who come from now on; the first reason counts."""
        self._refusal = self._refusal or refusal

    def reopen(self) -> None:
        """Let in who comes, if only a restart was in the way."""
        if isinstance(self._refusal, DaemonRenewing):
            self._refusal = None

    @contextmanager
    def inside(self) -> Iterator[CancelScope]:
        """Count a request that is being answered; `clear` may cancel the scope."""
        with CancelScope() as scope:
            self._inside.add(scope)
            try:
                yield scope
            finally:
                self._inside.discard(scope)

    async def clear(self, patience: float) -> None:
        """Return when nobody is inside: after `patience` seconds, those who wait are told to go.

        What they asked for goes on.
        """
        with move_on_after(patience):
            await self._emptied()
        for scope in self._inside:
            scope.cancel()
        with move_on_after(patience):
            await self._emptied()
            await anyio.sleep(FAREWELL)

    async def _emptied(self) -> None:
        while self._inside:  # noqa: ASYNC110 (there are few, and it is a moment)
            await anyio.sleep(PAUSE)
