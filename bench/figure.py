"""One thing measured, and what it is held to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Bound(StrEnum):
    """Which side of its limit a figure has to be on."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure is held to."""

    bound: Bound
    value: float

    def allows(self, value: float) -> bool:
        """Return whether `value` is on the right side."""
        return value <= self.value if self.bound is Bound.AT_MOST else value >= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `value` is judged; `ours` and `bare` are what it was made of."""

    subject: str
    value: float
    limit: Limit | None = None
    """None for what is only worth knowing."""

    ours: str = ""
    bare: str = ""
    spread: tuple[float, float] | None = None
    """The lowest and highest value of single rounds."""

    unit: str = ""
    """What `value`, its limit and its spread are in; empty for a ratio."""

    @property
    def ok(self) -> bool:
        """Whether the limit, if there is one, is kept."""
        return self.limit is None or self.limit.allows(self.value)


def at_most(value: float) -> Limit:
    """Return a ceiling."""
    return Limit(Bound.AT_MOST, value)


def at_least(value: float) -> Limit:
    """Return a floor."""
    return Limit(Bound.AT_LEAST, value)
