"""The registry file: which projects there are, for the next daemon."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import anyio
from anyio.abc import TaskGroup

from taskmux.supervisor import AGAIN, Saving, Services


class Roll:
    """Keeps the registry file as `paths` says; what could not be written is tried again.

    `paths` returns the taskmux.toml of each project, by session.
    """

    def __init__(
        self, services: Services, paths: Callable[[], dict[str, str]], group: TaskGroup
    ) -> None:
        self._store = services.store
        self._paths = paths
        self._group = group
        self._saving = Saving(services.bus)
        self._closed = anyio.Event()

    @property
    def unsaved(self) -> str | None:
        """Why it could not be written; None if it could."""
        return self._saving.trouble

    def save(self) -> None:
        """Write it down, or tell why that cannot be and go on trying."""
        tried_again = self.unsaved is not None
        if not self._try() and not tried_again:
            self._group.start_soon(self._save_later)

    def close(self) -> None:
        """Try no more."""
        self._closed.set()

    def _try(self) -> bool:
        return self._saving.attempt(partial(self._store.save_registry, self._paths()))

    async def _save_later(self) -> None:
        while self.unsaved is not None and not self._closed.is_set():
            with anyio.move_on_after(AGAIN):
                await self._closed.wait()
            self._try()
