from __future__ import annotations

from taskmux.processes.model import Row
from taskmux.processes.usage import Usage, measure


def row(pid: int, parent: int, session: int, *, zombie: bool = False) -> Row:
    return Row(pid, parent, pid, session, 1, uid=7, cpu=pid / 4, memory=pid, zombie=zombie)


def test_sums_over_a_session_and_its_descendants() -> None:
    rows = [
        row(1, 0, 1),
        row(10, 1, 10),
        row(12, 10, 10),
        row(11, 1, 10),
        row(13, 12, 13),
        row(14, 13, 13),
        row(20, 1, 20),
        row(30, 1, 30),
    ]
    assert measure(rows, [10, 20, 99]) == {
        10: Usage(cpu=15.0, memory=60, pids=(10, 11, 12, 13, 14)),
        20: Usage(cpu=5.0, memory=20, pids=(20,)),
        99: Usage(cpu=0, memory=0, pids=()),
    }


def test_counts_a_process_once_for_the_nearest() -> None:
    rows = [row(10, 1, 10), row(20, 10, 20), row(21, 20, 21)]
    found = measure(rows, [10, 20])
    assert (found[10].pids, found[20].pids) == ((10,), (20, 21))


def test_a_zombie_uses_nothing() -> None:
    assert measure([row(10, 1, 10, zombie=True)], [10])[10] == Usage(0, 0, ())


def test_ends_though_parents_go_round_in_a_ring() -> None:
    assert measure([row(10, 11, 10), row(11, 10, 11)], [99])[99].pids == ()
