"""Has logs say what they lost as soon as they can, also those whose tasks say nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import anyio

from taskmux.logs import LogWriter

from .saving import AGAIN


class Mending:
    """Tries again to write to logs that dropped something. Costs nothing while none does."""

    def __init__(self) -> None:
        self._needed = anyio.Event()

    def note_drop(self, why: str) -> None:
        """Take notice that some log has begun to drop lines."""
        self._needed.set()

    async def keep(self, logs: Callable[[], Iterable[LogWriter]]) -> None:
        """Look after `logs()`, as they are each time, until cancelled."""
        while True:
            await self._needed.wait()
            await anyio.sleep(AGAIN)
            self._needed = anyio.Event()
            for log in logs():
                log.mend()
                if log.trouble is not None:
                    self._needed.set()
