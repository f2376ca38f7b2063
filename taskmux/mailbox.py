"""A bounded queue between somebody who must not wait and somebody who may be slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import anyio

Push = Mapping[str, Any]
"""One message of a stream; its `push` says of which kind."""


@dataclass(frozen=True)
class Bulk:
    """Many messages that come, and are lost, together; put into bytes once for all readers."""

    count: int
    size: int
    encode: Callable[[], Sequence[bytes]]

    @cached_property
    def messages(self) -> Sequence[bytes]:
        """Return each as it is sent."""
        return self.encode()


Kind = TypeVar("Kind", bound=Push | Bulk)


class Mailbox(Generic[Kind]):
    """Pushes for one reader. What does not fit is dropped, and the reader told how many.

    The newest are dropped, and `{"push": "lost", "count": 12}` stands where they
    would have been. Iterate to read; `close` ends the iteration after what is left.
    """

    def __init__(self, items: int = 1024, size: int = 1024 * 1024) -> None:
        self._waiting: deque[tuple[Kind | None, int]] = deque()  # None, 12: twelve are lost here
        self._items, self._size = items, size
        self._arrived = anyio.Event()
        self._closed = False

    def put_nowait(self, push: Kind) -> None:
        """Leave a message for the reader, or count it as lost. Returns at once."""
        size = push.size if isinstance(push, Bulk) else _rough_size(push)
        if self._items < 1 or self._size < size:
            self._lose(push.count if isinstance(push, Bulk) else 1)
        else:
            self._items -= 1
            self._size -= size
            self._waiting.append((push, size))
        self._arrived.set()

    def close(self) -> None:
        """Let the reader come to an end once it has read what is here."""
        self._closed = True
        self._arrived.set()

    def __aiter__(self) -> Mailbox[Kind]:
        return self

    async def __anext__(self) -> Kind | Push:
        while (push := self.take_nowait()) is None:
            if self._closed:
                raise StopAsyncIteration
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return push

    def take_nowait(self) -> Kind | Push | None:
        """Return the oldest message that is here; None if there is none."""
        if not self._waiting:
            return None
        push, number = self._waiting.popleft()
        if push is None:
            return {"push": "lost", "count": number}
        self._items += 1
        self._size += number
        return push

    def _lose(self, count: int) -> None:
        # One mark a gap: what was let in after a gap stands between it and the next.
        lost = 0
        if self._waiting and self._waiting[-1][0] is None:
            _, lost = self._waiting.pop()
        self._waiting.append((None, lost + count))


def _rough_size(push: Push) -> int:
    """Return about how many bytes the message holds; text is all that can be large."""
    texts = (value for value in push.values() if isinstance(value, str | bytes | list | tuple))
    return 64 * len(push) + sum(
        len(part) if isinstance(part, str | bytes) else 64
        for text in texts
        for part in ((text,) if isinstance(text, str | bytes) else text)
    )
