"""Who the doors ask: whatever can answer a request."""

from __future__ import annotations

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from taskmux.mailbox import Bulk, Push
from taskmux.wire import Report, Request, Subscribe


class Desk(Protocol):
    """Answers what the doors have read. A failure to tell is a `TaskmuxError`."""

    def asked(self) -> AbstractContextManager[None]:
        """Return a context that is left when a request has been answered, and that was sent."""

    async def answer(self, request: Request) -> Report:
        """Return what the request asked for.

        Cancelled when whoever asked is gone: that ends the waiting, and must not
        end the work.
        """

    def subscribe(
        self, request: Subscribe
    ) -> AbstractAsyncContextManager[AsyncIterable[Push | Bulk]]:
        """Return a context that holds the stream; entering it says whether there will be one.

        The stream is read as fast as the reader at the other end is, and must be
        bounded by itself, as a `Mailbox` is.
        """
