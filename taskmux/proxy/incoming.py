"""What a client sends after its head on one stream, until the task takes it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from h2.errors import ErrorCodes

from .fields import Fields


class Fault(Enum):
    """What a client may do wrong with a body, and what it is told then."""

    LENGTH = ErrorCodes.PROTOCOL_ERROR
    """It is not as long as Content-Length says."""

    WINDOW = ErrorCodes.FLOW_CONTROL_ERROR
    """It is more than was asked for."""

    CLOSED = ErrorCodes.STREAM_CLOSED
    """It goes on after its end."""


class Incoming:
    """Keeps it while nobody takes it, which is never more than `window` bytes.

    `settle` is called with how many bytes were passed on, and with how many more the client may
    send: that is told to it now and then only.
    """

    def __init__(self, window: int, settle: Callable[[int, int], None]) -> None:
        self.trailers: Fields = []
        self.open = False
        """Whether there is somebody who takes more."""

        self.ended = False
        """Whether the client sends no more."""

        self._whole = self._window = window
        self._settle = settle
        self._pieces: list[bytes] = []
        self._owed = 0
        """Bytes of which nobody was told yet that they were passed on."""

        self._spent = 0
        """Bytes that were passed on, and for which the client has no new window."""

        self._left: int | None = None
        self._dropped = False
        self._told = False

    def begin(self, left: int | None, *, ended: bool) -> None:
        """Expect `left` bytes; any number if that is None."""
        self._left, self.ended = left, ended

    @property
    def dropped(self) -> bool:
        """Whether nobody takes any more of it, ever."""
        return self._dropped

    def take(self, data: bytes, size: int) -> Fault | None:
        """Add some, which took `size` bytes of the window; return what is wrong with it."""
        self._owed += size
        self._window -= size
        if self._window < 0:
            return Fault.WINDOW
        if self.ended:
            return Fault.CLOSED
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                return Fault.LENGTH
        if data and not self._dropped:
            self._pieces.append(data)
        return None

    def end(self) -> Fault | None:
        """Add nothing more; return what is wrong with what came."""
        self.ended = True
        return Fault.LENGTH if self._left else None

    def next(self) -> tuple[bytes, bool] | None:
        """Return what is to be passed on, and whether it is the last; None if nothing is."""
        done = self.ended or self._left == 0
        if not self.open or self._told or not (self._pieces or done):
            return None
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._told = done
        return piece, done

    def drop(self) -> None:
        """Take no more of it for good."""
        self._dropped, self.open = True, False
        self._pieces.clear()
        self.settle()

    def settle(self) -> None:
        """Have the client send as much again, if what came was passed on, or is not wanted."""
        if not self._owed or not (self.open or self._dropped):
            return
        owed, self._owed, wider = self._owed, 0, 0
        self._spent += owed
        if self._spent >= self._whole // 2 and not self.ended and not self._dropped:
            wider, self._spent = self._spent, 0
            self._window += wider
        self._settle(owed, wider)
