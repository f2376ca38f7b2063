from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from taskmux.logs import LogWriter, NotALogFile, Window, last_run, read, remove, run_started, stamp
from taskmux.logs.cutter import CONTINUES, LINE_LIMIT
from taskmux.logs.record import MARGIN

NOON = 1704110400.0
MB = 1_000_000


class Clock:
    """Runs a millisecond each time it is asked, and may be set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "api.log"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def writer(path: Path, clock: Clock, max_size: int = MB, max_files: int = 3) -> LogWriter:
    return LogWriter(path, max_size=max_size, max_files=max_files, clock=clock)


def files(path: Path) -> list[Path]:
    return sorted(path.parent.iterdir())


def texts(path: Path) -> list[bytes]:
    return [line.text for line in read({"api": path}, Window()).lines]


def test_a_line_is_stamped_as_it_arrives(path: Path, clock: Clock) -> None:
    log = writer(path, clock)
    log.feed(b"one\r\ntw")
    clock.now = NOON + 60
    log.feed(b"o\nthree\n")
    assert path.read_bytes() == (
        b"2024-01-01T12:00:00.001 one\n2024-01-01T12:01:00.001 two\n2024-01-01T12:01:00.001 three\n"
    )
    log.close()


def test_a_prompt_is_written_when_it_is_flushed_and_at_the_end(path: Path, clock: Clock) -> None:
    log = writer(path, clock)
    log.feed(b"Name? ")
    assert log.pending
    assert texts(path) == []
    log.flush()
    log.flush()
    assert texts(path) == [b"Name? "]
    log.feed(b"bye")
    log.close()
    assert texts(path) == [b"Name? ", b"bye"]


def test_a_note_stands_between_the_lines_of_the_task(path: Path, clock: Clock) -> None:
    log = writer(path, clock)
    log.feed(b"half a line")
    log.note("exited with 1")
    log.feed(b"\n[taskmux] run 9 started (pid 9)\n")
    log.close()
    assert texts(path) == [
        b"half a line", b"[taskmux] exited with 1", b"", b" [taskmux] run 9 started (pid 9)"
    ]  # fmt: skip
    assert last_run(path) == 0


def test_log_and_folders_are_their_owners_alone(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a" / "b" / "api.log"
    before = os.umask(0)
    try:
        writer(path, clock).close()
    finally:
        os.umask(before)
    assert [p.stat().st_mode & 0o777 for p in (path, path.parent, path.parent.parent)] == [
        0o600, 0o700, 0o700
    ]  # fmt: skip


def test_what_is_no_file_is_refused_at_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "link", "pipe"):
        with pytest.raises(NotALogFile):
            writer(tmp_path / name, clock)
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "file").touch()
    with pytest.raises(OSError):  # noqa: PT011 (which one depends on the system)
        writer(tmp_path / "file" / "api.log", clock)


def test_stamps_never_go_back(path: Path, clock: Clock) -> None:
    log = writer(path, clock)
    log.feed(b"one\n")
    clock.now = NOON - 3600
    log.feed(b"two\n")
    log.close()
    again = writer(path, clock)
    again.feed(b"three\n")
    again.close()
    stamps = [line.stamp for line in read({"api": path}, Window()).lines]
    assert stamps == ["2024-01-01T12:00:00.001"] * 3


@pytest.mark.parametrize("max_files", [0, 1, 3])
@pytest.mark.parametrize("max_size", [1000, 4096])
def test_rotation_keeps_within_the_limit_and_loses_no_line_within(
    path: Path, clock: Clock, max_size: int, max_files: int
) -> None:
    log, choose, written = writer(path, clock, max_size, max_files), random.Random(1), []
    for number in range(1000):
        line = b"%d %s" % (number, b"x" * choose.randrange(300))
        written.append(line)
        log.feed(line + b"\n")
        if number % 100 == 0:
            assert sum(file.stat().st_size for file in files(path)) <= max_size * (max_files + 1)
            assert all(file.stat().st_size <= max_size for file in files(path))
    log.close()
    kept = texts(path)
    assert kept == written[-len(kept) :]
    assert len(files(path)) == max_files + 1
    assert sum(map(len, kept)) + (MARGIN + 1) * len(kept) > max_size * max_files - 400 * max_files


def test_files_that_are_not_full_are_no_reason_to_keep_more(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 1000, 3)
    for number in range(20):
        log.feed(b"%d" % number + b"x" * 600 + b"\n")
        assert len(files(path)) <= 4
    log.close()
    assert texts(path) == [b"%d" % number + b"x" * 600 for number in range(16, 20)]


def test_a_file_whose_name_is_a_number_is_none_of_a_log(path: Path, clock: Clock) -> None:
    other = path.with_name("2")
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_bytes(b"somebody's\n")
    log = writer(path, clock, 1000, 1)
    log.feed(b"".join(b"%d\n" % number for number in range(200)))
    log.clean()
    log.close()
    remove(path)
    assert other.read_bytes() == b"somebody's\n"
    assert list(path.parent.iterdir()) == [other]


def test_one_feed_may_fill_several_files(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 1000, 9)
    log.feed(b"".join(b"%d\n" % number for number in range(200)))
    log.close()
    assert texts(path) == [b"%d" % number for number in range(200)]
    assert all(file.stat().st_size <= 1000 for file in files(path))
    assert len(files(path)) > 3


def test_no_stamp_is_found_in_two_files(path: Path, clock: Clock) -> None:
    log = LogWriter(path, max_size=200, max_files=9, clock=lambda: NOON)
    log.feed(b"0123456789\n" * 30)
    log.clean()
    log.feed(b"0123456789\n" * 30)
    log.close()
    again = LogWriter(path, max_size=200, max_files=9, clock=lambda: NOON)
    again.feed(b"0123456789\n" * 10)
    again.close()
    stamps = [{line[:23] for line in file.read_bytes().splitlines()} for file in files(path)]
    assert sum(map(len, stamps)) == len(set().union(*stamps))


@pytest.mark.parametrize(("max_size", "kept"), [(1, [4]), (30, [4]), (430, [2, 3, 4])])
def test_a_file_too_small_for_a_line_holds_one(
    path: Path, clock: Clock, max_size: int, kept: list[int]
) -> None:
    log = writer(path, clock, max_size, 2)
    for number in range(5):
        log.feed(b"%d" % number + b"x" * 400 + b"\n")
    log.close()
    assert texts(path) == [b"%d" % number + b"x" * 400 for number in kept]


def test_smaller_limits_apply_to_files_of_before(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 10_000, 8)
    log.feed(b"x" * 99 + b"\n")
    for _ in range(1000):
        log.feed(b"x" * 99 + b"\n")
    log.close()
    again = writer(path, clock, 5000, 2)
    for _ in range(100):
        again.feed(b"y" * 99 + b"\n")
    again.close()
    assert sum(file.stat().st_size for file in files(path)) <= 15_000
    assert len(files(path)) == 3


def test_a_line_longer_than_a_file_is_split_to_fit(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 5000, 3)
    log.feed(b"x" * 8000 + b"\n")
    log.close()
    assert all(file.stat().st_size <= 5000 for file in files(path))
    assert b"".join(texts(path)).replace(CONTINUES, b"") == b"x" * 8000


def test_a_line_of_64_mb_stays_within_memory_and_disk(path: Path, clock: Clock) -> None:
    log, chunk = writer(path, clock, 10 * MB, 1), b"x" * LINE_LIMIT
    tracemalloc.start()
    try:
        for _ in range(1024):
            log.feed(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    log.close()
    assert peak < 2 * MB
    assert sum(file.stat().st_size for file in files(path)) <= 20 * MB
    assert all(text.endswith(CONTINUES) for text in texts(path)[:-1])


def test_output_after_the_file_is_gone_is_seen_again(path: Path, clock: Clock) -> None:
    log = writer(path, clock)
    log.feed(b"one\n")
    path.unlink()
    log.feed(b"two\n")
    assert texts(path) == [b"two"]
    path.rename(path.with_name("moved"))
    path.write_bytes(b"somebody's\n")
    log.feed(b"three\n")
    assert texts(path) == [b"somebody's", b"three"]
    path.unlink()
    path.with_name("moved").unlink()
    path.parent.rmdir()
    log.feed(b"four\n")
    assert texts(path) == [b"four"]
    log.close()


def test_a_file_that_is_gone_is_missed_even_while_the_clock_is_behind(
    path: Path, clock: Clock
) -> None:
    log = writer(path, clock)
    log.feed(b"one\n")
    clock.now = NOON - 3600
    path.unlink()
    log.feed(b"two\n")
    assert texts(path) == [b"two"]
    log.close()


def test_a_folder_in_place_of_the_log_costs_lines_until_it_is_gone(
    path: Path, clock: Clock
) -> None:
    told: list[tuple[str, int]] = []
    log = LogWriter(
        path, max_size=MB, max_files=1, clock=clock,
        on_drop=lambda why: told.append((why, 0)),
        on_recover=lambda why, count: told.append((why, count)),
    )  # fmt: skip
    path.unlink()
    path.mkdir()
    log.feed(b"one\n")
    log.note("two\nthree")
    assert told == [("not a regular file", 0)]
    path.rmdir()
    log.flush()
    log.close()
    assert told[1:] == [("not a regular file", 3)]
    assert texts(path) == [b"[taskmux] 3 lines dropped: not a regular file"]


def test_who_takes_over_goes_on_making_good_what_was_lost(path: Path, clock: Clock) -> None:
    log = writer(path, clock)
    path.unlink()
    path.mkdir()
    log.feed(b"one\n")
    carried = log.carry()
    path.rmdir()
    told: list[str] = []
    heir = LogWriter(path, max_size=MB, max_files=1, clock=clock, on_drop=told.append)
    heir.take_over(carried)
    assert (told, heir.trouble) == (["not a regular file"], "not a regular file")
    heir.mend()
    assert heir.trouble is None
    assert texts(path) == [b"[taskmux] 1 lines dropped: not a regular file"]


def test_a_file_emptied_under_us_is_filled_again(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 1000, 1)
    log.feed(b"x" * 900 + b"\n")
    os.truncate(path, 0)
    log.feed(b"y" * 900 + b"\n")
    log.close()
    assert files(path) == [path]


def test_clean_begins_anew(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 1000, 3)
    for _ in range(20):
        log.feed(b"x" * 200 + b"\n")
    log.clean()
    assert files(path) == [path]
    assert path.read_bytes() == b""
    log.feed(b"new\n")
    assert texts(path) == [b"new"]
    log.close()


def test_a_line_torn_by_a_crash_is_ended_first(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.write_bytes(b"2024-01-01T11:00:00.000 whole\n2024-01-01T11:00:00.000 ha")
    log = writer(path, clock)
    log.feed(b"next\n")
    log.close()
    assert texts(path) == [b"whole", b"ha", b"next"]


def test_a_tap_gets_every_line_as_it_is_on_disk(path: Path, clock: Clock) -> None:
    log, heard = writer(path, clock, 500, 9), list[tuple[bytes, bytes]]()
    log.feed(b"before\n")
    forget = log.tap(lambda stamp, text: heard.append((stamp, text)))
    log.feed(b"".join(b"%d\n" % number for number in range(100)))
    log.note("a note")
    log.feed(b"no end")
    log.flush()
    forget()
    forget()
    log.feed(b"after\n")
    log.close()
    on_disk = [(line.stamp.encode(), line.text) for line in read({"api": path}, Window()).lines]
    assert heard == on_disk[1:-1]
    assert heard[-2:] == [(heard[-2][0], b"[taskmux] a note"), (heard[-1][0], b"no end")]


def test_a_listener_gets_what_taps_get_in_fewer_calls(path: Path, clock: Clock) -> None:
    log, told = writer(path, clock, 2000, 9), list[tuple[bytes, bytes]]()
    tapped, heard = list[tuple[bytes, bytes]](), list[tuple[bytes, bytes]]()
    log.tap(lambda stamp, text: tapped.append((stamp, text)))
    forget = log.listen(lambda stamp, lines: told.append((stamp, lines)))
    log.feed(b"".join(b"%d\n" % number for number in range(100)))
    log.note("a note")
    forget()
    for when, lines in told:
        heard += [(when, line) for line in lines.split(b"\n")[:-1]]
    assert heard == tapped
    assert len(told) < 10
    log.feed(b"after\n")
    log.close()
    assert len(tapped) > len(heard)


def test_the_newest_run_is_found_again(path: Path, clock: Clock) -> None:
    log = writer(path, clock, 2000, 3)
    assert last_run(path) == 0
    for run in range(1, 30):
        log.note(run_started(run, 100 + run))
        log.feed(b"x" * 100 + b"\n")
        assert last_run(path) == run
    log.feed(b"run 99 started (pid 1)\n[taskmux] run 98 started (pid 1)\n")
    assert last_run(path) == 29
    log.close()


DISK_FULL = """
import resource, sys
from pathlib import Path
from taskmux.logs import LogWriter
path, now, told = Path(sys.argv[1]), [1704110400.0], []
def clock():
    now[0] += 0.001
    return now[0]
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
log = LogWriter(path, max_size=1_000_000, max_files=2, clock=clock,
                on_drop=lambda why: told.append(("drop", why)),
                on_recover=lambda why, count: told.append(("recover", why, count)))
heard = []
log.tap(lambda stamp, line: heard.append(line))
limit(1050)
log.feed(b"".join(b"%03d %s\\n" % (n, b"x" * 71) for n in range(30)))
size = path.stat().st_size
assert size % 100 == 0, size
for n in range(30, 40):
    log.feed(b"%03d %s\\n" % (n, b"x" * 71))
log.feed(b"no end")
assert log.dropped == 30, log.dropped
assert path.stat().st_size == size == 1000, path.stat().st_size
assert told == [("drop", "File too large")], told
limit(resource.RLIM_INFINITY)
assert log.pending
log.flush()
assert told[1:] == [("recover", "File too large", 30)], told
log.feed(b"040\\n")
log.close()
assert log.dropped == 30
assert len([line for line in heard if line[:3].isdigit()]) == 41, heard
"""


def test_a_full_disk_costs_lines_and_nothing_else(path: Path) -> None:
    subprocess.run([sys.executable, "-c", DISK_FULL, path], check=True, timeout=50)
    found = texts(path)
    assert [text[:3] for text in found[:10]] == [b"%03d" % number for number in range(10)]
    assert found[10:] == [b"[taskmux] 30 lines dropped: File too large", b"no end", b"040"]


def test_a_log_that_cannot_be_opened_now_is_opened_later(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        log = LogWriter(path, max_size=MB, max_files=1)
        log.feed(b"lost\n")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    log.feed(b"kept\n")
    log.close()
    assert texts(path) == [b"[taskmux] 1 lines dropped: Too many open files", b"kept"]


def test_the_clock_is_the_systems_unless_given(path: Path) -> None:
    log = LogWriter(path, max_size=MB, max_files=1)
    before = stamp(NOON)
    log.feed(b"now\n")
    log.close()
    assert path.read_bytes()[:23] > before
