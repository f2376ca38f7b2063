"""What runs use of the machine. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from .model import Row


@dataclass(frozen=True, slots=True)
class Usage:
    """The sum over `pids`, lowest first. Time of children that have ended is not in it."""

    cpu: float
    """Seconds used since each of them started."""

    memory: int
    pids: tuple[int, ...]


def measure(rows: Iterable[Row], sessions: Collection[int]) -> dict[int, Usage]:
    """Return what each session and its descendants use, by the pid of the session's leader.

    A process counts once: for its own session, else for that of its nearest ancestor.
    """
    alive = {row.pid: row for row in rows if not row.zombie}
    found: dict[int, list[Row]] = {session: [] for session in sessions}
    for row in alive.values():
        if (session := _session_of(row, alive, found)) is not None:
            found[session].append(row)
    return {session: _sum(rows) for session, rows in found.items()}


def _session_of(row: Row, alive: dict[int, Row], sessions: Collection[int]) -> int | None:
    # A reading is no instant: among processes that came and went meanwhile, parents
    # might go round in a ring.
    for _ in range(len(alive)):
        if row.session in sessions:
            return row.session
        if row.parent not in alive:
            return None
        row = alive[row.parent]
    return None


def _sum(rows: list[Row]) -> Usage:
    pids = tuple(sorted(row.pid for row in rows))
    return Usage(sum(row.cpu for row in rows), sum(row.memory for row in rows), pids)
