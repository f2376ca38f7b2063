from __future__ import annotations

import json
from pathlib import Path

import pytest

from taskmux.bus import Bus, Page, Pages
from taskmux.bus.history import Wanted


@pytest.fixture
def path(home: Path) -> Path:
    return home / "events.jsonl"


def fill(bus: Bus, count: int, kind: str = "tick") -> None:
    for _ in range(count):
        bus.publish(kind)


def seqs(page: Page) -> list[int]:
    return [event["seq"] for event in page.events]


def all_of(pages: Pages) -> list[int]:
    found: list[int] = []
    while True:
        page = pages.next()
        found += seqs(page)
        if page.last:
            return found


def test_pages_are_small_and_leave_nothing_out(path: Path) -> None:
    fill(Bus(path), 100)
    with Pages(path, Wanted(), size=1000) as pages:
        first = pages.next()
        assert 1 < len(first.events) < 20
        assert not first.last
        assert seqs(first) + all_of(pages) == list(range(1, 101))
        assert pages.seq == 100


def test_only_what_is_wanted_is_in_them_but_all_is_looked_at(path: Path) -> None:
    bus = Bus(path)
    fill(bus, 3)
    fill(bus, 2, "tock")
    fill(bus, 2)
    with Pages(path, Wanted(kinds=["tock"], after=4)) as pages:
        assert seqs(pages.next()) == [5]
        assert pages.seq == 7


def test_they_go_on_when_there_is_more(path: Path) -> None:
    with Pages(path, Wanted()) as pages:
        assert pages.next() == Page((), 0, last=True)
        bus = Bus(path)
        fill(bus, 2)
        assert all_of(pages) == [1, 2]
        assert pages.next() == Page((), 0, last=True)
        fill(bus, 1)
        assert all_of(pages) == [3]


def test_a_line_that_is_still_being_written_is_taken_when_it_is_whole(path: Path) -> None:
    bus = Bus(path)
    fill(bus, 1)
    line = json.dumps(bus.publish("later")).encode()
    whole = path.read_bytes()
    path.write_bytes(whole[: -len(line) // 2])
    with Pages(path, Wanted()) as pages:
        assert all_of(pages) == [1]
        with path.open("ab") as file:
            file.write(whole[-len(line) // 2 :])
        assert all_of(pages) == [2]


def test_a_reader_goes_on_through_a_trimming(path: Path) -> None:
    bus = Bus(path, trim_at=30, keep=20)
    fill(bus, 20)
    with Pages(path, Wanted(), size=500) as pages:
        begun = seqs(pages.next())
        fill(bus, 20)  # trimmed after 31, to 12 and later
        assert begun + all_of(pages) == list(range(1, 41))


def test_whoever_is_slower_than_two_trimmings_is_told_what_it_missed(path: Path) -> None:
    bus = Bus(path, trim_at=30, keep=20)
    fill(bus, 20)
    with Pages(path, Wanted(), size=500) as pages:
        found, lost = seqs(pages.next()), 0
        fill(bus, 100)
        page = pages.next()
        while not page.last:
            assert page.lost == 0 or found[-1] + 1 + page.lost == page.events[0]["seq"]
            found, lost = found + seqs(page), lost + page.lost
            page = pages.next()
    assert lost > 0
    assert len(found) + lost == 120


def test_what_was_trimmed_before_the_first_page_is_not_lost(path: Path) -> None:
    bus = Bus(path, trim_at=15, keep=10)
    fill(bus, 16)
    with Pages(path, Wanted()) as pages:
        page = pages.next()
    assert (seqs(page), page.lost) == (list(range(7, 17)), 0)
