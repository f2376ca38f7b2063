"""A connection of a browser, whichever version of HTTP it speaks: who it is, and how it goes."""

from __future__ import annotations

import asyncio
from time import monotonic

from .deadline import FLUSH, STALL, Deadline, Uptake
from .forward import Visitor
from .hub import Hub
from .pipe import Pipe


class Caller(Pipe):
    """Known to its `hub` as long as it is there; a subclass says what it asks.

    Whoever takes nothing of what was written to it is not waited for longer than `STALL`, and
    than `FLUSH` when that was all.
    """

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.visitor = Visitor("127.0.0.1", hub.scheme, hub.port)
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._named: str | None = None
        """The name that it asked for while it began to encrypt."""

        self._over = False
        """Whether nothing more is read: it closes as soon as all that was written is sent."""

        self._since = monotonic()
        """When it last had something to do."""

        self._deadline = Deadline(self._loop, self._late)
        self._uptake = Uptake()
        self._patience = FLUSH

    # For a subclass.

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer, or a tunnel is open."""
        raise NotImplementedError

    def greet(self) -> None:
        """Begin: it is known who it is."""

    def dismiss(self) -> None:
        """Have it go when it has what it asked for; it is open."""

    def late(self) -> None:
        """Act on a deadline that passed while it was open."""

    def forget(self) -> None:
        """Give up what was asked: nobody is there any more."""

    # A guest.

    @property
    def address(self) -> str:
        """Where it comes from."""
        return self.visitor.address

    @property
    def idle(self) -> float | None:
        """Since when it has had nothing to do: nobody to answer, and nothing to send."""
        return None if self.busy or self._unsent() else self._since

    def leave(self) -> None:
        """Go when it has what it asked for; if it is going already, it goes as it does."""
        if not self._over:
            self.dismiss()

    def close(self) -> None:
        """Send what is written, and go."""
        self.depart()

    def depart(self, patience: float = FLUSH) -> None:
        """Send what is written, and go, at the latest when nothing was taken for so long."""
        self._over = True
        super().close()
        self._see_off(patience)

    def _see_off(self, patience: float) -> None:
        if self.transport is not None:
            self._patience = patience
            self._uptake.begin(self._loop.time(), self._unsent())
            self._deadline.bring_forward(patience)

    def _unsent(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    # From the loop.

    def came(self) -> None:
        """Note who it is."""
        assert self.transport is not None
        address = self.transport.get_extra_info("peername") or ("127.0.0.1",)
        self.visitor = Visitor(address[0], self._hub.scheme, self._hub.port)
        self._named = self._hub.named(self.transport)
        self._hub.guests.add(self)
        self.greet()

    def full(self) -> None:
        """See whether it takes any of it."""
        if not self._over:
            self._uptake.begin(self._loop.time())

    def gone(self, error: Exception | None) -> None:
        """Let go of everything."""
        self._over = True
        self._hub.guests.discard(self)
        self._deadline.cancel()
        self.forget()

    def _late(self) -> None:
        if (self._over or self.clogged) and self._stalled():
            self.abort()
        elif self._over:
            self._deadline.set(self._patience)
        else:
            self.late()

    def _stalled(self) -> bool:
        patience = self._patience if self._over else STALL
        return self._uptake.stalled(self._unsent(), self._loop.time(), patience)
