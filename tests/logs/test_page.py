from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taskmux.logs import MARGIN, Excerpt, Line, Window, read
from taskmux.logs.record import stamp_of

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
START = int(NOON.timestamp() * 1000)


def pages(sources: dict[str, Path], window: Window, limit: int) -> list[Excerpt]:
    """Read on from page to page to the end."""
    found = [read(sources, window, limit=limit)]
    while found[-1].more:
        on = replace(window, lines=None, after=found[-1].next)
        found.append(read(sources, on, limit=limit))
    return found


def lines_of(found: list[Excerpt]) -> list[Line]:
    return [line for page in found for line in page.lines]


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    """Three logs in several files, many of their lines of the same instant."""
    choose = random.Random(5)
    now = dict.fromkeys(("api", "web", "db"), START)
    logs = {task: list[bytes]() for task in now}
    for number in range(360):
        task = choose.choice(list(now))
        now[task] = max(now[task], START + number // 4)
        word = b"error" if choose.random() < 0.1 else b"x" * choose.randrange(80)
        logs[task].append(stamp_of(now[task]) + b" %d %s\n" % (number, word))
    sources = {}
    for task, lines in logs.items():
        sources[task] = path = tmp_path / f"{task}.log"
        cut = len(lines) // 2
        path.with_name(f"{path.name}.1").write_bytes(b"".join(lines[:cut]))
        path.write_bytes(b"".join(lines[cut:]))
    return sources


@pytest.mark.parametrize("limit", [1, 500, 5_000])
@pytest.mark.parametrize(
    "window",
    [
        Window(),
        Window(lines=0),
        Window(lines=40),
        Window(lines=10_000_000),
        Window(since=NOON.replace(microsecond=100_000), until=NOON.replace(microsecond=150_000)),
        Window(grep="error"),
        Window(grep="error", lines=7),
        Window(grep="error", lines=10_000_000, context=1),
        Window(grep="error", context=2),
        Window(grep="7", context=3),
        Window(grep="nowhere"),
    ],
)
def test_pages_are_the_whole_answer_in_parts(
    sources: dict[str, Path], window: Window, limit: int
) -> None:
    for chosen in (sources, {"api": sources["api"]}):
        whole = read(chosen, window)
        found = pages(chosen, window, limit)
        assert lines_of(found) == list(whole.lines)
        assert found[-1].next == whole.next
        assert all(page.lines for page in found[:-1])


def test_with_context_the_last_matches_may_take_more_of_it_along(sources: dict[str, Path]) -> None:
    window = Window(grep="error", lines=7, context=2)
    whole = read(sources, window).lines
    found = lines_of(pages(sources, window, 200))
    assert [line for line in found if line in whole] == list(whole)
    assert len(set(found)) == len(found)


def test_a_page_is_as_long_as_it_may_be(sources: dict[str, Path]) -> None:
    whole = read(sources, Window()).lines
    page = read(sources, Window(), limit=5_000)
    cost = sum(64 + len(line.task) + len(line.text) for line in page.lines)
    following = whole[len(page.lines)]
    assert cost <= 5_000 < cost + 64 + len(following.task) + len(following.text)
    assert page.more


def test_what_just_fits_is_all_there_is(sources: dict[str, Path]) -> None:
    whole = read(sources, Window()).lines
    cost = sum(64 + len(line.task) + len(line.text) for line in whole)
    assert not read(sources, Window(), limit=cost).more
    assert read(sources, Window(), limit=cost - 1).more


@pytest.mark.parametrize("context", [0, 1])
@pytest.mark.parametrize(("grep", "count"), [(None, 9), ("x", 4), ("o", 5)])
def test_pages_may_end_between_lines_without_a_stamp(
    tmp_path: Path, grep: str | None, count: int, context: int
) -> None:
    path, stamp, long = tmp_path / "api.log", stamp_of(START).decode(), "." * MARGIN
    path.write_text(
        f"{long}x\n{long}o\n\n{stamp} one\n{long}xo\n{long}ox\n\n{stamp} two\n{long}x\n"
    )
    for sources in ({"api": path}, {"api": path, "web": path}):
        window = Window(grep=grep, context=context)
        whole = read(sources, window).lines
        assert context or len(whole) == count * len(sources)
        for limit in (1, 170):
            assert lines_of(pages(sources, window, limit)) == list(whole)


def test_pages_go_on_through_a_rotation(sources: dict[str, Path]) -> None:
    path = sources["api"]
    whole = list(read({"api": path}, Window()).lines)
    page = read({"api": path}, Window(), limit=2_000)
    for number in (1, 0):
        name = path.name if number == 0 else f"{path.name}.{number}"
        path.with_name(name).rename(path.with_name(f"{path.name}.{number + 1}"))
    path.write_bytes(stamp_of(START + 10_000) + b" new\n")
    rest = read({"api": path}, Window(after=page.next))
    assert [*page.lines, *rest.lines[:-1]] == whole
    assert rest.lines[-1].text == b"new"


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 MB in lines of a kilobyte."""
    path = tmp_path_factory.mktemp("long") / "api.log"
    with path.open("wb") as file:
        for number in range(32_000):
            file.write(stamp_of(START + number) + b" %06d" % number + b"x" * 968 + b"\n")
    return path


@pytest.mark.parametrize(
    "window",
    [
        Window(),
        Window(lines=10**12),
        Window(grep="x"),
        Window(grep="x", lines=10**12, context=2),
        Window(grep="0$"),
    ],
)
def test_a_page_of_a_long_log_takes_little_memory(long_log: Path, window: Window) -> None:
    sources = {"api": long_log, "web": long_log}
    read(sources, window, limit=1)  # what is imported for it does not count
    tracemalloc.start()
    try:
        read(sources, window, limit=256 * 1024)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000
