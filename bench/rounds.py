"""Measures two things in turn, so that whatever else the machine does meets both alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured of each, round by round."""

    ours: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours to bare, each within its own round."""
        return tuple(ours / bare for ours, bare in zip(self.ours, self.bare, strict=True))

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest of the rounds' ratios."""
        return min(self.ratios), max(self.ratios)


def compare(
    ours: Callable[[], float], bare: Callable[[], float], rounds: int, *, warm: bool = False
) -> Comparison:
    """Measure both `rounds` times; who is first changes, and with `warm` one round is not kept."""
    if warm:
        bare()
        ours()
    pairs: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2:
            one = ours()
            pairs.append((one, bare()))
        else:
            other = bare()
            pairs.append((ours(), other))
    return Comparison(tuple(one for one, _ in pairs), tuple(other for _, other in pairs))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of all values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
