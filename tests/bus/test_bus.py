from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taskmux.bus import Bus, history
from taskmux.bus.bus import RECENT
from taskmux.bus.history import Wanted


@pytest.fixture
def path(home: Path) -> Path:
    return home / "events.jsonl"


def test_an_event_is_written_down_and_told(path: Path) -> None:
    told: list[dict[str, Any]] = []
    bus = Bus(path)
    forget = bus.listen(told.append)
    event = bus.publish("task_ready", "shop", task="api", run=2, nothing=None)
    forget()
    bus.publish("task_ready", "shop", task="web")
    assert told == [event]
    assert event == {
        "ts": event["ts"], "seq": 1, "event": "task_ready", "session": "shop", "task": "api",
        "run": 2,
    }  # fmt: skip
    assert json.loads(path.read_text().splitlines()[0]) == event
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_fact_that_is_no_text_is_written_down_all_the_same(path: Path) -> None:
    told: list[dict[str, Any]] = []
    bus = Bus(path)
    bus.listen(told.append)
    event = bus.publish("port_conflict", "shop", port=80, command="caf\udce9", held=["\udcff"])
    assert told == [event]
    [written] = history.read(path, Wanted())
    assert written == event | {"command": "caf?", "held": ["?"]}


def test_numbers_go_on_where_the_last_daemon_stopped(path: Path) -> None:
    Bus(path).publish("a")
    assert Bus(path).publish("b")["seq"] == 2


def test_a_line_cut_short_costs_that_line_only(path: Path) -> None:
    Bus(path).publish("a")
    with path.open("a") as file:
        file.write('{"seq": 2, "ts"\n[]\n"x"\n{"seq": "9", "ts": ""}\n')
    bus = Bus(path)
    bus.publish("b")
    assert [event["event"] for event in history.read(path, Wanted())] == ["a", "b"]


def test_a_line_without_its_end_does_not_take_the_next_one_along(path: Path) -> None:
    Bus(path).publish("a")
    with path.open("a") as file:
        file.write('{"seq": 2, "ts"')
    Bus(path).publish("b")
    assert [event["event"] for event in history.read(path, Wanted())] == ["a", "b"]


DISK_FULL = """
import resource, signal, sys
from pathlib import Path
from taskmux.bus import Bus
from taskmux.bus.bus import RECENT
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
path = Path(sys.argv[1])
bus = Bus(path)
bus.publish("a")
limit(path.stat().st_size + 10)
bus.publish("b")
bus.publish("c")
assert (bus.waiting, bus.why) == (2, "File too large"), bus.why
limit(resource.RLIM_INFINITY)
bus.publish("d")
assert (bus.waiting, bus.lost, bus.seq) == (0, 0, 4)
limit(path.stat().st_size)
for _ in range(RECENT + 3):
    bus.publish("e")
limit(resource.RLIM_INFINITY)
bus.publish("f")
assert (bus.waiting, bus.lost) == (0, 3), (bus.waiting, bus.lost)
"""


def test_a_disk_that_was_full_costs_no_event_but_what_is_too_much_to_keep(path: Path) -> None:
    subprocess.run([sys.executable, "-c", DISK_FULL, path], check=True, timeout=50)
    found = history.read(path, Wanted())
    kinds = [event["event"] for event in found]
    assert kinds == ["a", "b", "c", "d", *RECENT * ["e"], "f", "events_lost"]
    assert (found[-1]["count"], found[-1]["reason"]) == (3, "File too large")
    assert [event["seq"] for event in found[:5]] == [1, 2, 3, 4, 8]


def test_the_newest_events_are_at_hand(path: Path) -> None:
    Bus(path).publish("before")
    bus = Bus(path)
    assert bus.since(1) == []
    assert bus.since(0) is None
    events = [bus.publish("tick") for _ in range(3)]
    assert bus.since(1) == events
    assert bus.since(3) == events[2:]
    assert bus.since(9) == []
    for _ in range(RECENT):
        bus.publish("tock")
    assert bus.since(3) is None
    assert [event["seq"] for event in bus.since(4) or []] == list(range(5, 5 + RECENT))


def test_a_history_that_cannot_be_written_costs_only_the_record(path: Path) -> None:
    told: list[dict[str, Any]] = []
    bus = Bus(path)
    path.mkdir()
    bus.listen(told.append)
    assert bus.publish("a")["seq"] == 1
    assert (bus.waiting, bus.lost, len(told)) == (1, 0, 1)


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_what_was_not_yet_written_is_when_the_next_program_can(path: Path, behind: int) -> None:
    Bus(path).publish("a")
    bus = Bus(path)
    file = path.rename(path.with_name("away"))
    path.mkdir()
    waiting = [bus.publish("b"), bus.publish("c"), bus.publish("d")]
    path.rmdir()
    file.rename(path)
    after = Bus(path, bus.carry())
    assert (after.seq, after.waiting, after.why) == (4, 3, "Is a directory")
    assert after.since(4 - behind) == waiting[3 - behind :]
    assert after.since(0) is None
    after.publish("e")
    found = history.read(path, Wanted())
    assert [(event["seq"], event["event"]) for event in found] == [*enumerate("abcde", 1)]


def test_numbers_are_given_once_though_the_next_program_finds_no_history(path: Path) -> None:
    bus = Bus(path)
    path.mkdir()
    for _ in range(RECENT + 3):
        bus.publish("a")
    after = Bus(path, bus.carry())  # it sets the folder aside, and says so
    found = history.read(path, Wanted())
    kinds = [event["event"] for event in found]
    assert kinds == [*RECENT * ["a"], "state_damaged", "events_lost"]
    assert found[-1]["count"] == after.lost == 3
    assert [event["seq"] for event in found] == list(range(4, RECENT + 6))
    again = Bus(path, after.carry())
    assert (again.publish("b")["seq"], again.seq) == (RECENT + 6, RECENT + 6)


def test_what_was_not_yet_written_is_forgotten_with_the_rest(path: Path) -> None:
    bus = Bus(path)
    path.mkdir()
    bus.publish("a")
    assert (bus.waiting, bus.clear(), bus.waiting) == (1, True, 0)
    assert [event["event"] for event in history.read(path, Wanted())] == ["events_cleaned"]
    assert bus.seq == 2


def test_the_history_is_trimmed_to_its_newest(path: Path) -> None:
    bus = Bus(path, trim_at=15, keep=10)
    for _ in range(16):
        bus.publish("tick")
    assert [event["seq"] for event in history.read(path, Wanted())] == list(range(7, 17))
    assert bus.publish("tick")["seq"] == 17


def test_what_is_wanted_is_found(path: Path) -> None:
    bus = Bus(path)
    bus.publish("task_ready", "shop", task="api")
    bus.publish("task_failed", "shop", task="web")
    bus.publish("task_ready", "blog", task="api")
    now = datetime.now(UTC)

    def seqs(wanted: Wanted) -> list[int]:
        return [event["seq"] for event in history.read(path, wanted)]

    assert seqs(Wanted(session="shop")) == [1, 2]
    assert seqs(Wanted(task="api")) == [1, 3]
    assert seqs(Wanted(kinds=["task_failed"])) == [2]
    assert seqs(Wanted(after=1)) == [2, 3]
    assert seqs(Wanted(lines=1)) == [3]
    assert seqs(Wanted(lines=0)) == []
    assert seqs(Wanted(since=now - timedelta(minutes=1))) == [1, 2, 3]
    assert seqs(Wanted(since=now + timedelta(minutes=1))) == []
    assert seqs(Wanted(until=now - timedelta(minutes=1))) == []


def test_following_gives_what_was_and_what_comes(path: Path) -> None:
    bus = Bus(path)
    bus.publish("first")
    seen = history.follow(path, Wanted())
    assert next(seen)["event"] == "first"
    thread = threading.Timer(0.05, bus.publish, ["second"])
    thread.start()
    assert next(seen)["event"] == "second"
    thread.join()
