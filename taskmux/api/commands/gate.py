"""Where requests come in: what may, and who is still inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from anyio import CancelScope, move_on_after
from anyio.lowlevel import checkpoint

from taskmux.errors import DaemonRenewing, TaskmuxError


class Gate:
    """Open, until something new would be too much for a daemon that ends, or changes."""

    def __init__(self) -> None:
        self._refusal: TaskmuxError | None = None
        self._inside: set[CancelScope] = set()
        self._unanswered = 0
        self._answered = anyio.Event()

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
    def asked(self) -> Iterator[None]:
        """Count a request until its answer has been sent."""
        self._unanswered += 1
        try:
            yield
        finally:
            self._unanswered -= 1
            self._answered.set()
            self._answered = anyio.Event()

    @contextmanager
    def inside(self) -> Iterator[CancelScope]:
        """Let a request wait for something; `clear` may cancel the scope."""
        with CancelScope() as scope:
            self._inside.add(scope)
            try:
                yield scope
            finally:
                self._inside.discard(scope)

    async def clear(self, patience: float) -> None:
        """Return when all have their answers but the one who asks for this.

        After `patience` seconds those who wait are told to go; what they asked for goes on.
        Those who do not read are not waited for any longer than that.
        """
        with move_on_after(patience):
            await self._all_but_one_answered()
        for scope in self._inside:
            scope.cancel()
        with move_on_after(patience):
            await self._all_but_one_answered()
        await checkpoint()  # uvloop writes, at the end of a turn, what it was given in it

    async def _all_but_one_answered(self) -> None:
        while self._unanswered > 1:
            await self._answered.wait()
