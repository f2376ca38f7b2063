"""Streams take turns, so that whoever else has something to do need not wait for hundreds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from typing import TypeVar

from anyio import Semaphore
from anyio.lowlevel import checkpoint

TOGETHER = 8
"""Streams that may go on in one turn of the event loop; so few need not wait at all."""

Item = TypeVar("Item")


class Turns:
    """Counts the streams, and lets a few of them go on at a time."""

    def __init__(self, together: int = TOGETHER) -> None:
        self._together = together
        self._places = Semaphore(together)
        self._streams = 0

    async def pace(self, stream: AsyncIterable[Item]) -> AsyncGenerator[Item, None]:
        """Yield what `stream` yields, each when it is its turn."""
        self._streams += 1
        try:
            async for item in stream:
                if self._streams > self._together:
                    async with self._places:
                        await checkpoint()
                yield item
        finally:
            self._streams -= 1
