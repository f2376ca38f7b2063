from __future__ import annotations

import pytest

from taskmux.processes import Usage
from taskmux.supervisor import Meter
from taskmux.supervisor.usage import SHORTEST


def used(cpu: float) -> Usage:
    return Usage(cpu, memory=0, pids=())


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> Meter:
    return Meter(clock)


def test_a_share_is_that_since_the_look_before(meter: Meter, clock: Clock) -> None:
    assert meter.share({1: used(1.0)}, [1]) == {1: 0.0}
    clock.now += 4
    assert meter.share({1: used(2.0)}, [1]) == {1: 0.25}
    clock.now += 1
    assert meter.share({1: used(2.0)}, [1]) == {1: 0.0}


def test_looks_in_quick_succession_are_one(meter: Meter, clock: Clock) -> None:
    meter.share({1: used(1.0)}, [1])
    clock.now += 4
    meter.share({1: used(2.0)}, [1])
    clock.now += SHORTEST / 2
    assert meter.share({1: used(2.2)}, [1]) == {1: 0.25}
    clock.now += SHORTEST / 2
    assert meter.share({1: used(2.2)}, [1]) == {1: pytest.approx(0.2 / SHORTEST)}


def test_a_look_at_others_is_no_first_look(meter: Meter, clock: Clock) -> None:
    meter.share({1: used(1.0)}, [1, 2])
    clock.now += 1
    assert meter.share({2: used(1.0)}, [1, 2]) == {2: 0.0}
    clock.now += 1
    assert meter.share({1: used(2.0)}, [1, 2]) == {1: 0.5}


def test_who_ended_is_forgotten(meter: Meter, clock: Clock) -> None:
    meter.share({1: used(1.0)}, [1])
    clock.now += 1
    meter.share({2: used(1.0)}, [2])
    clock.now += 1
    assert meter.share({1: used(2.0)}, [1]) == {1: 0.0}
