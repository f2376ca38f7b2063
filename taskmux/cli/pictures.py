"""Which picture goes with which report."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from taskmux import wire

from . import tables
from .answers import Detailed
from .portrait import portrait


def draw(answer: wire.Report | Detailed, width: int) -> Iterator[Text]:
    """Yield the lines of the picture of `answer`, for a terminal of `width`."""
    match answer:
        case wire.StatusReport():
            yield from tables.status(answer, width)
        case wire.HealthReport():
            yield from tables.health(answer, width, verbose=False)
        case Detailed():
            yield from tables.health(answer.report, width, verbose=True)
        case wire.AliasesReport():
            yield from tables.aliases(answer.session, answer.aliases, width)
        case wire.ProjectsReport():
            yield from tables.projects(answer, width)
        case wire.InspectReport():
            yield from portrait(answer)
