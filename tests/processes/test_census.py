from __future__ import annotations

from dataclasses import replace

import pytest

from taskmux.processes.census import Census, Trace
from taskmux.processes.model import Row

OWN = 5
TRACE = Trace("mine", session=100, started=1000)


def row(pid: int, *, parent: int = 1, session: int = 0, started: int = 1000) -> Row:
    """A process that leads its group, in the session of its own unless said otherwise."""
    session = session or pid
    return Row(pid, parent, pid, session, started, uid=7, cpu=0, memory=0, zombie=False)


LEADER = row(100, parent=OWN)
DEAD = replace(LEADER, zombie=True)


def survivors(*rows: Row, markers: dict[int, str] | None = None) -> list[int]:
    census = Census(rows, markers or {}, OWN)
    return [row.pid for row in census.survivors(TRACE)]


@pytest.mark.parametrize(
    ("found", "rows", "markers"),
    [
        ([100], [LEADER], {}),
        ([], [DEAD], {}),
        ([101], [DEAD, row(101, session=100)], {}),
        ([101], [DEAD, row(101, parent=OWN), row(102)], {101: "mine", 102: "yours"}),
        # By descent, however far, and whatever became of session and marker.
        ([100, 90], [LEADER, row(90, parent=100)], {}),
        ([101, 102], [DEAD, row(101, session=100), row(102, parent=101)], {}),
        ([101, 102, 103], [row(101), row(102, parent=101), row(103, parent=102)], {101: "mine"}),
        ([101, 102], [row(101), row(102, parent=101)], {101: "mine"}),
        # In a session, or a group, that one of them leads.
        ([101, 102], [row(101), row(102, session=101)], {101: "mine"}),
        ([101, 102], [row(101), replace(row(102), group=101)], {101: "mine"}),
        # Through a parent that is a zombie.
        ([102], [replace(row(101, session=100), zombie=True), row(102, parent=101), DEAD], {}),
    ],
)  # fmt: skip
def test_finds(found: list[int], rows: list[Row], markers: dict[int, str]) -> None:
    assert survivors(*rows, markers=markers) == sorted(found)


@pytest.mark.parametrize(
    "rows",
    [
        # The session's number is used again: its leader started later, or earlier.
        [row(100, started=1001), row(101, session=100, started=1002)],
        [row(100, started=999), row(101, session=100)],
        # The same, and this leader has ended, too.
        [row(101, session=100, started=2000)],
        # What is older than the leader cannot come from it.
        [DEAD, row(101, session=100, started=999)],
        [DEAD, row(101, parent=100, started=999)],
    ],
)
def test_leaves_strangers_alone(rows: list[Row]) -> None:
    assert survivors(*rows) == []
    assert survivors(*rows, markers={101: "yours"}) == []


def test_a_marker_older_than_the_run_is_a_stranger_s() -> None:
    assert survivors(row(101, started=999), markers={101: "mine"}) == []


def test_trusts_a_session_without_leader_if_somebody_in_it_has_the_marker() -> None:
    rows = [row(101, session=100), row(102, session=100)]
    assert survivors(*rows, markers={102: "mine"}) == [101, 102]


def test_never_counts_itself_or_init_to_a_run() -> None:
    me, init = row(OWN, parent=100, session=100), row(1, parent=0)
    rows = [LEADER, me, init, row(101, parent=OWN), row(102, parent=1)]
    assert survivors(*rows, markers={OWN: "mine", 1: "mine"}) == [100]
    census = Census(rows, {OWN: "mine", 1: "mine"}, OWN)
    assert census.marked(lambda marker: True) == []


def test_an_unknown_leader_is_nobody_s_session() -> None:
    kernel = row(2, parent=0, session=0)
    census = Census([replace(kernel, session=0, group=0)], {}, OWN)
    assert census.survivors(Trace("mine", 0, 0)) == []


def test_finds_all_runs_whose_marker_is_ours() -> None:
    rows = [row(101), row(102), row(103, parent=102), row(104)]
    census = Census(rows, {101: "a1", 102: "a2", 104: "b1"}, OWN)
    found = census.marked(lambda marker: marker.startswith("a"))
    assert [row.pid for row in found] == [101, 102, 103]


def test_a_group_is_theirs_only_if_nobody_else_lives_in_it() -> None:
    one, other = replace(row(101), group=50), replace(row(102), group=50)
    alone = replace(row(103), group=60)
    dead = replace(row(104), group=60, zombie=True)
    own = replace(row(105), group=OWN)
    census = Census([one, other, alone, dead, own], {}, OWN)
    assert census.groups([one, alone, own]) == {60}
    assert census.groups([one, other]) == {50}
