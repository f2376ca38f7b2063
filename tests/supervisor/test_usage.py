from __future__ import annotations

from taskmux.processes import Usage
from taskmux.supervisor import Meter


def used(cpu: float) -> Usage:
    return Usage(cpu, memory=0, pids=())


def test_a_look_at_others_is_no_first_look() -> None:
    meter = Meter()
    assert meter.share({1: used(1.0)}, [1, 2]) == {1: 0.0}
    assert meter.share({2: used(1.0)}, [1, 2]) == {2: 0.0}
    assert meter.share({1: used(2.0)}, [1, 2])[1] > 0.0
    assert meter.share({1: used(2.0)}, [1, 2]) == {1: 0.0}


def test_who_ended_is_forgotten() -> None:
    meter = Meter()
    meter.share({1: used(1.0)}, [1])
    meter.share({2: used(1.0)}, [2])
    assert meter.share({1: used(2.0)}, [1]) == {1: 0.0}
