"""What becomes of work that is done in another thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import anyio
from anyio import CancelScope

from .calls import Thrown

T = TypeVar("T")


class Outcome(Generic[T]):
    """What becomes of work in another thread: written there, read here once it is known."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.known = anyio.Event()
        self.scope = CancelScope()
        self.returned: list[T] = []
        self.raised: BaseException | None = None
        self._then = then

    def settle(self, why: BaseException | None = None) -> None:
        """Make it known, on our loop; without a value, for the reason `why`."""
        if not self.known.is_set():
            self.raised = self.raised or why
            self.known.set()
            self._then()

    def get(self) -> T:
        """Return the value, or raise why there is none: an `Exception`, whatever it was."""
        if self.returned:
            return self.returned[0]
        error = self.raised or RuntimeError("it cancelled what it was asked for")
        raise error if isinstance(error, Exception) else Thrown(error)
