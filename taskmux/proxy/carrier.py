"""A connection of many streams, as its streams see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .directory import Absence, Target
from .exchange import Exchange
from .forward import Visitor
from .requests import Request

if TYPE_CHECKING:
    from .stream import Stream


class Carrier(Protocol):
    """The connection that a stream is one of."""

    visitor: Visitor
    """Who asks."""

    def ready(self, stream: Stream) -> None:
        """It has something to send."""

    def taken(self, number: int, size: int, wider: int) -> None:
        """So much of what came on a stream was passed on, and so much more may come."""

    def over(self, stream: Stream) -> None:
        """There is nothing more to it."""

    def find(self, request: Request) -> Target | Absence:
        """Return who is to be asked."""

    def absent(self, target: Target, why: str) -> Absence:
        """Return what to say where nobody answered."""

    def ask(self, request: Request, stream: Stream) -> Exchange:
        """Return the way to a task, on behalf of a stream."""

    def now(self) -> float:
        """Return the time, on the loop's clock."""
