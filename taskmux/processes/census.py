"""Who belongs to which run, given every process at one moment. Pure.

A process belongs to a run, once it started no earlier than the run's leader, if

- it is in the leader's session (which holds the leader's group, and every other
  group that was made in it: a session is left only by founding another),
- or it carries the run's marker, in its environment or as a badge,
- or its parent, or the leader of its group or session, belongs to the run.

A session is known by a number, which may be used again after the last of it is
gone. So it is trusted if its leader is still to be seen, as a zombie perhaps,
and started when the run's leader did; or if no process has that number, and
somebody in the session carries the marker. As long as anybody is in a session
the system gives its number to nobody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from .model import Row


@dataclass(frozen=True, slots=True)
class Trace:
    """What a run is known by after its leader is gone."""

    run_id: str
    """Its marker, the value of `TASKMUX_RUN_ID` in its environment, which its badge repeats."""

    session: int
    """The pid of its leader; 0 if unknown."""

    started: int
    """When its leader started, as in `Row`."""


class Census:
    """Every process at one moment, and how they hang together.

    `own` is the process that asks: neither it nor init is ever counted to a run.
    """

    def __init__(
        self, rows: Iterable[Row], markers: Mapping[int, str], own: int, *, torn: bool = False
    ) -> None:
        """Index `rows`; `markers` holds, by pid, the markers of those that have one.

        It is `torn` if somebody came and went in between, and may have left a child unseen.
        """
        self.torn = torn
        self.rows = {row.pid: row for row in rows}
        self._markers = markers
        self._never = {0, 1, own}
        self._bound: dict[int, list[Row]] = defaultdict(list)
        self._marked: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows.values():
            for tie in {row.parent, row.group, row.session} - {row.pid}:
                self._bound[tie].append(row)
            if row.pid in markers:
                self._marked[markers[row.pid]].append(row)

    @property
    def markers(self) -> Mapping[int, str]:
        """The marker of each process that has one."""
        return self._markers

    def survivors(self, trace: Trace) -> list[Row]:
        """Return what lives of a run, lowest pid first; the leader too, if it does."""
        roots = [*self._session(trace), *self._marked.get(trace.run_id, ())]
        return self._family(roots, trace.started)

    def marked(self, is_ours: Callable[[str], bool]) -> list[Row]:
        """Return what lives of all runs whose marker `is_ours`."""
        roots = [row for mark, rows in self._marked.items() if is_ours(mark) for row in rows]
        return self._family(roots, 0)

    def groups(self, rows: Collection[Row]) -> set[int]:
        """Return the groups in which nobody lives but some of `rows`."""
        ours = {row.pid for row in rows}
        others = (row for row in self.rows.values() if row.pid not in ours and not row.zombie)
        strangers = {row.group for row in others}
        return {row.group for row in rows} - strangers - self._never

    def _session(self, trace: Trace) -> Iterable[Row]:
        if trace.session in self._never:
            return ()
        leader = self.rows.get(trace.session)
        members = [row for row in self._bound[trace.session] if row.session == trace.session]
        if leader is not None:
            return (leader, *members) if leader.started == trace.started else ()
        if any(self._markers.get(row.pid) == trace.run_id for row in members):
            return members
        return ()

    def _family(self, roots: Iterable[Row], since: int) -> list[Row]:
        found: dict[int, Row] = {}
        rest = list(roots)
        while rest:
            row = rest.pop()
            if row.pid not in found and row.pid not in self._never and row.started >= since:
                found[row.pid] = row
                rest += self._bound.get(row.pid, ())
        return sorted((r for r in found.values() if not r.zombie), key=lambda row: row.pid)


def same(one: Row, other: Row) -> bool:
    """Return whether both tell of the same process, perhaps at different moments."""
    return (one.pid, one.started) == (other.pid, other.started)
