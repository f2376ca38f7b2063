from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taskmux.errors import BadRequest
from taskmux.logs import Line, LogWriter, Window, read, remove
from taskmux.logs.files import close, open_to_read
from taskmux.logs.record import stamp_of

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
HEAD = "2024-01-01T12:00:0"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def log(path: Path, *lines: str) -> Path:
    """Write lines such as `0.500 text`, the second after noon before each."""
    path.write_text("".join(f"{HEAD}{line}\n" for line in lines))
    return path


def texts(path: Path, window: Window) -> list[str]:
    return [line.text.decode() for line in read({"api": path}, window).lines]


@pytest.fixture
def api(tmp_path: Path) -> Path:
    """Eight lines in three files, one a second."""
    path = tmp_path / "api.log"
    log(tmp_path / "api.log.10", "0.000 zero", "1.000 one")
    log(tmp_path / "api.log.2", "2.000 two", "3.000 three", "4.000 four")
    log(path, "5.000 five", "6.000 six", "7.000 seven")
    (tmp_path / "api.log.old").write_text("not ours\n")
    (tmp_path / "api.logs").write_text("not ours\n")
    return path


ALL = ["zero", "one", "two", "three", "four", "five", "six", "seven"]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(), ALL),
        (Window(lines=0), []),
        (Window(lines=2), ALL[-2:]),
        (Window(lines=4), ALL[-4:]),
        (Window(lines=8), ALL),
        (Window(lines=99), ALL),
        (Window(since=at(3)), ALL[3:]),
        (Window(since=at(3.001)), ALL[4:]),
        (Window(since=at(-99)), ALL),
        (Window(since=at(99)), []),
        (Window(until=at(3)), ALL[:4]),
        (Window(until=at(2.999)), ALL[:3]),
        (Window(since=at(1.5), until=at(5.5)), ALL[2:6]),
        (Window(since=at(1.5), until=at(5.5), lines=2), ALL[4:6]),
        (Window(since=at(5), until=at(2)), []),
        (Window(since=at(3).astimezone()), ALL[3:]),
    ],
)
def test_a_window_spans_the_rotated_files(api: Path, window: Window, expected: list[str]) -> None:
    assert texts(api, window) == expected


def test_a_line_knows_task_time_and_text(api: Path) -> None:
    line = read({"web": api}, Window(lines=1)).lines[0]
    assert line == Line("web", "2024-01-01T12:00:07.000", b"seven")
    assert line.ts == "2024-01-01T12:00:07.000Z"


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    for path in (tmp_path / "api.log", tmp_path / "nowhere" / "api.log"):
        for window in (Window(), Window(lines=3, grep="x"), Window(since=NOON), Window(run=-1)):
            assert read({"api": path}, window).lines == ()
            assert read({"api": path}, window).next == ""
    assert read({}, Window()).lines == ()


def test_an_unfinished_line_is_not_read_yet(tmp_path: Path) -> None:
    path = log(tmp_path / "api.log", "0.000 one")
    with path.open("a") as file:
        file.write(f"{HEAD}1.000 tw")
    assert texts(path, Window()) == ["one"]
    with path.open("a") as file:
        file.write("o\n")
    assert texts(path, Window()) == ["one", "two"]


def test_lines_without_a_stamp_belong_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text(f"foreign\n\n{HEAD}1.000 one\nlost\n{HEAD}2.000 two\n")
    stamps = [line.stamp[-6:] for line in read({"api": path}, Window()).lines]
    assert texts(path, Window()) == ["foreign", "", "one", "lost", "two"]
    assert stamps == ["00.000", "00.000", "01.000", "01.000", "02.000"]
    assert texts(path, Window(since=at(1))) == ["one", "lost", "two"]
    assert texts(path, Window(until=at(1))) == ["foreign", "", "one", "lost"]
    last = read({"api": path}, Window(lines=1, until=at(1)))
    assert [line.stamp[-6:] for line in last.lines] == ["01.000"]
    assert texts(path, Window(after=last.next)) == ["two"]


@pytest.mark.parametrize("length", range(4060, 4110))
def test_a_stamp_behind_a_long_foreign_line_is_found(tmp_path: Path, length: int) -> None:
    path = tmp_path / "api.log"
    path.write_text("x" * length + f"\n{HEAD}1.000 one\n{HEAD}2.000 two\n" + "y" * 5000 + "\n")
    assert texts(path, Window(since=at(0.5), lines=3))[:2] == ["one", "two"]


def test_the_later_beginning_counts(api: Path) -> None:
    after = read({"api": api}, Window(until=at(3))).next
    assert texts(api, Window(after=after, since=at(1))) == ALL[4:]
    assert texts(api, Window(after=after, since=at(6))) == ALL[6:]
    assert texts(api, Window(after=after, until=at(1))) == []
    assert read({"api": api}, Window(after=after, until=at(1))).next == after


def test_tasks_are_merged_by_time_and_ties_stay_in_order(tmp_path: Path) -> None:
    sources = {
        "web": log(tmp_path / "web.log", "1.000 w1", "2.000 w2", "2.000 w3"),
        "api": log(tmp_path / "api.log", "0.500 a1", "2.000 a2", "3.000 a3"),
    }
    lines = read(sources, Window()).lines
    assert [line.text for line in lines] == [b"a1", b"w1", b"w2", b"w3", b"a2", b"a3"]
    assert [line.task for line in lines] == ["api", "web", "web", "web", "api", "api"]
    assert [line.text for line in read(sources, Window(lines=3)).lines] == [b"w3", b"a2", b"a3"]
    assert read(sources, Window(lines=0)).lines == ()


@pytest.mark.parametrize("window", [Window(), Window(lines=700), Window(grep="1")])
def test_long_logs_are_merged_in_the_same_order(tmp_path: Path, window: Window) -> None:
    start, lines = int(NOON.timestamp() * 1000), list[tuple[int, int, bytes]]()
    for task, often in enumerate((50, 1, 400)):
        with (tmp_path / f"{task}.log").open("wb") as file:
            for number in range(500):
                text = b"%d.%d" % (task, number) + b"x" * 900
                lines.append((start + number // often, task, text))
                file.write(stamp_of(start + number // often) + b" " + text + b"\n")
    found = read({str(task): tmp_path / f"{task}.log" for task in range(3)}, window).lines
    expected = [text for _, _, text in sorted(lines, key=lambda line: line[:2])]
    expected = [text for text in expected if window.grep is None or b"1" in text]
    assert [line.text for line in found] == expected[-(window.lines or len(expected)) :]


class CountingPread:
    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, file: int, length: int, offset: int) -> bytes:
        found = os.pread(file, length, offset)
        self.bytes += len(found)
        return found


@pytest.mark.parametrize("window", [Window(since=at(1)), Window(lines=100)], ids=["since", "lines"])
def test_finding_the_end_of_a_log_does_not_cost_more_when_it_is_long(
    tmp_path: Path, window: Window
) -> None:
    read_bytes = []
    for size in (20_000, 200_000):
        path = tmp_path / f"{size}.log"
        start = int(NOON.timestamp() * 1000) - size
        with path.open("wb") as file:
            for number in range(size):
                file.write(stamp_of(start + number) + b" line %d\n" % number)
            file.write(b"".join(stamp_of(start + size + 1000 + n) + b" new\n" for n in range(100)))
        pread = CountingPread()
        assert len(read({"api": path}, window, pread=pread).lines) == 100
        read_bytes.append(pread.bytes)
    assert read_bytes[1] < read_bytes[0] + 50_000
    assert read_bytes[1] < 400_000


RUNS = [
    "0.000 end of run 3",
    "1.000 [taskmux] run 4 started (pid 10)", "2.000 four", "2.500 [taskmux] exited with 1",
    "3.000 [taskmux] run 5 started (pid 11) [taskmux] run 5 started (pid 11)",
    "4.000 says [taskmux] run 9 started (pid 1)",
    "4.500  [taskmux] run 9 started (pid 1)",
    "5.000 [taskmux] run 6 started (pid 12)", "6.000 six",
]  # fmt: skip


@pytest.mark.parametrize(
    ("run", "first", "count"),
    [(0, 7, 2), (-1, 4, 3), (-2, 1, 3), (-3, 0, 1), (6, 7, 2), (5, 4, 3), (4, 1, 3), (3, 0, 1)],
)
def test_a_run_is_found_by_number_and_from_the_newest(
    tmp_path: Path, run: int, first: int, count: int
) -> None:
    path = log(tmp_path / "api.log.1", *RUNS[:5]).with_name("api.log")
    log(path, *RUNS[5:])
    assert texts(path, Window(run=run)) == [line[6:] for line in RUNS[first : first + count]]


@pytest.mark.parametrize("run", [7, 2, -4, 9])
def test_a_run_the_log_does_not_have_is_an_error(tmp_path: Path, run: int) -> None:
    path = log(tmp_path / "api.log", *RUNS)
    with pytest.raises(BadRequest) as caught:
        read({"api": path}, Window(run=run))
    assert str(caught.value) == f"no lines of run {run} in the log of api"
    other = log(tmp_path / "web.log", "1.000 [taskmux] run 7 started (pid 1)", "2.000 x")
    if run == 7:
        assert len(read({"api": path, "web": other}, Window(run=7)).lines) == 2


def test_without_any_mark_everything_is_of_the_newest_run(api: Path) -> None:
    assert texts(api, Window(run=0)) == ALL
    with pytest.raises(BadRequest):
        read({"api": api}, Window(run=-1))
    with pytest.raises(BadRequest):
        read({"api": api}, Window(run=1))


def test_a_run_may_be_narrowed_further(tmp_path: Path) -> None:
    path = log(tmp_path / "api.log", *RUNS)
    assert texts(path, Window(run=5, grep="says")) == ["says [taskmux] run 9 started (pid 1)"]
    assert texts(path, Window(run=4, lines=1)) == ["[taskmux] exited with 1"]
    assert texts(path, Window(run=4, since=at(2), until=at(2.4))) == ["four"]
    assert texts(path, Window(after=read({"api": path}, Window(run=5)).next)) == [
        "[taskmux] run 6 started (pid 12)", "six"
    ]  # fmt: skip


@pytest.mark.parametrize("window", [Window(lines=-1), Window(grep="x", context=-1)])
def test_a_negative_number_of_lines_is_an_error(api: Path, window: Window) -> None:
    with pytest.raises(BadRequest, match="cannot be negative"):
        read({"api": api}, window)


def test_a_log_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "api.log").symlink_to("/etc/passwd")
    with pytest.raises(BadRequest, match=r"api\.log cannot be read: not a regular file"):
        read({"api": tmp_path / "api.log"}, Window())


def test_every_file_of_a_log_can_be_removed(api: Path) -> None:
    remove(api)
    remove(api)
    assert sorted(path.name for path in api.parent.iterdir()) == ["api.log.old", "api.logs"]


def test_reading_while_it_rotates_sees_every_line_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    script = (
        "import sys; from pathlib import Path; from taskmux.logs import LogWriter\n"
        "log = LogWriter(Path(sys.argv[1]), max_size=20_000, max_files=200)\n"
        "print(flush=True)\n"
        "for n in range(10_000): log.feed(b'%d\\n' % n)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        after, seen = "", list[int]()
        while child.poll() is None:
            excerpt = read({"api": path}, Window(after=after))
            seen += [int(line.text) for line in excerpt.lines]
            after = excerpt.next
    seen += [int(line.text) for line in read({"api": path}, Window(after=after)).lines]
    assert child.returncode == 0
    assert seen == list(range(10_000))


def turn(path: Path, text: str | None) -> None:
    """Rotate a log, and begin its new file with `text` unless that is None."""
    for number in reversed(range(5)):
        place = path.with_name(f"api.log.{number}") if number else path
        if place.exists():
            place.rename(path.with_name(f"api.log.{number + 1}"))
    if text is not None:
        path.write_text(text)


@pytest.mark.parametrize("moments", [(0, 1), (1, 1), (1, 2), (2, 3), (1, 5), (2, 2)])
def test_a_file_is_found_wherever_two_rotations_put_it_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moments: tuple[int, int]
) -> None:
    path = tmp_path / "api.log"
    for number, text in enumerate(["3", "2", "1"]):
        (path.with_name(f"api.log.{number}") if number else path).write_text(text)
    opened = 0

    def open_between(*how: Any) -> int:
        nonlocal opened
        for moment, wholly in zip(moments, (True, False), strict=True):
            if opened == moment:  # of the second rotation, its last step is still to come
                turn(path, "4" if wholly else None)
        opened += 1
        return opening(*how)

    opening = os.open
    monkeypatch.setattr(os, "open", open_between)
    files = open_to_read(path)
    try:
        assert [os.read(file, 9) for file in files] == [b"4", b"3", b"2", b"1"]
    finally:
        close(files)


def test_reading_needs_neither_an_event_loop_nor_an_engine_for_patterns(api: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from taskmux.logs import Window, read\n"
        "assert len(read({'api': Path(sys.argv[1])}, Window(lines=3)).lines) == 3\n"
        "print(*{'anyio', 'asyncio', 're2', 'watchfiles', 'msgspec'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, api], check=True, capture_output=True)
    assert done.stdout == b"\n"


def test_a_log_written_and_read_back_is_the_same(tmp_path: Path) -> None:
    path, line = tmp_path / "api.log", bytes(range(11, 256)) + "\u2028é".encode()
    writer = LogWriter(path, max_size=100_000, max_files=1)
    writer.feed(line + b"\n\n" + line + b"\r\n")
    writer.close()
    assert [found.text for found in read({"api": path}, Window()).lines] == [line, b"", line]
