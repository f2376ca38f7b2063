"""What one stream has to send: heads, a body, what comes after it."""

from __future__ import annotations

from .fields import Fields
from .outbox import Outbox
from .wire import Wire


class Outgoing:
    """Keeps it until it can be sent, and ends the stream with the last of it, not after."""

    def __init__(self, number: int) -> None:
        self.body = Outbox()
        self.answered = False
        """Whether there was a head that is not preliminary."""

        self.closed = False
        """Whether all was sent, and that it is all."""

        self._number = number
        self._heads: list[Fields] = []
        self._last: Fields | None = None
        """What comes after the body; None while more of it may come."""

    def head(self, fields: Fields, *, preliminary: bool = False) -> None:
        """Have a head sent."""
        self._heads.append(fields)
        self.answered = not preliminary

    def finish(self, fields: Fields) -> None:
        """Have it end, with trailers if there are any."""
        if self._last is None:
            self._last = fields

    def clear(self) -> None:
        """Forget what was not sent."""
        self._heads.clear()
        self.body.clear()

    def turn(self, wire: Wire) -> bool:
        """Send what there is, a little of the body at most; return whether anything was."""
        moved = bool(self._heads)
        self._send_heads(wire)
        if self.body:
            room = wire.room(self._number)
            if not room:
                return moved
            piece = self.body.take(room)
            self.closed = self._ends
            wire.body(self._number, piece, more=bool(self.body), end=self.closed)
            moved = True
        if self._last is not None and not self.body and not self.closed:
            self.closed = moved = True
            if self._last:
                wire.head(self._number, self._last, end=True)
            else:
                wire.end(self._number)
        return moved

    @property
    def _ends(self) -> bool:
        return not self.body and self._last == []

    def _send_heads(self, wire: Wire) -> None:
        heads, self._heads = self._heads, []
        for head in heads:
            self.closed = self.answered and head is heads[-1] and self._ends
            wire.head(self._number, head, end=self.closed)
