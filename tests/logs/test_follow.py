from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from taskmux.logs import LogWriter, Window, follow, read

END = b"the end"


@contextmanager
def followed(sources: dict[str, Path], after: str = "") -> Iterator[Queue[bytes]]:
    """Follow in a thread, which ends at a line that says so."""
    seen: Queue[bytes] = Queue()

    def run() -> None:
        for line in follow(sources, after):
            if line.text == END:
                break
            seen.put(line.text)

    thread = Thread(target=run)
    thread.start()
    try:
        yield seen
    finally:
        log = open_log(next(iter(sources.values())))
        log.feed(END + b"\n")
        log.close()
        thread.join(20)
    assert not thread.is_alive()


def open_log(path: Path) -> LogWriter:
    return LogWriter(path, max_size=2000, max_files=3)


def next_of(seen: Queue[bytes]) -> bytes:
    return seen.get(timeout=20)


def test_lines_are_seen_as_they_are_written_through_rotation(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    log = open_log(path)
    with followed({"api": path}) as seen:
        for number in range(60):
            log.feed(b"%d %s\n" % (number, b"x" * 90))
            assert next_of(seen).split()[0] == b"%d" % number
        log.close()
    assert len(list(tmp_path.iterdir())) == 4


def test_nothing_is_lost_between_reading_and_following(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    log = open_log(path)
    log.feed(b"one\n")
    excerpt = read({"api": path}, Window(lines=1))
    log.feed(b"two\n")
    with followed({"api": path}, excerpt.next) as seen:
        assert next_of(seen) == b"two"
        log.feed(b"three\n")
        assert next_of(seen) == b"three"
        log.close()


def test_a_log_whose_folder_does_not_exist_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "api.log"
    with followed({"api": path, "web": tmp_path / "web.log"}) as seen:
        web = open_log(tmp_path / "web.log")
        web.feed(b"web\n")
        web.close()
        assert next_of(seen) == b"web"
        log = open_log(path)
        log.feed(b"one\n")
        assert next_of(seen) == b"one"
        log.feed(b"two\n")
        assert next_of(seen) == b"two"
        log.close()


def test_cleaning_removing_and_restarting_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "api.log"
    log = open_log(path)
    with followed({"api": path}) as seen:
        log.feed(b"one\n")
        assert next_of(seen) == b"one"
        log.clean()
        log.feed(b"two\n")
        assert next_of(seen) == b"two"
        path.unlink()
        log.flush()
        log.note("three")
        assert next_of(seen) == b"[taskmux] three"
        log.close()
        shutil.rmtree(path.parent)
        log = open_log(path)
        log.feed(b"four\n")
        assert next_of(seen) == b"four"
        log.close()


WITHOUT_WATCHES = """
import os, resource, sys
from pathlib import Path
import watchfiles._rust_notify  # as long as files can be opened
from taskmux.logs import Window, follow, read
from taskmux.watches import folders_of, watching

log = Path(sys.argv[1])
read({"api": log}, Window())
free = os.open(log, os.O_RDONLY)
os.close(free)
# Enough to read with; a watch takes three.
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 2, free + 2))
with watching(folders_of([log])) as changes:
    assert changes is None
for line in follow({"api": log}, ""):
    print(line.text.decode(), flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a watch takes other descriptors elsewhere")
def test_lines_are_seen_where_the_system_has_no_watches_to_give(tmp_path: Path) -> None:
    log = open_log(tmp_path / "api.log")
    log.feed(b"one\n")
    command = [sys.executable, "-c", WITHOUT_WATCHES, str(tmp_path / "api.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"one\n"
            for text in (b"two\n", b"six\n"):
                log.feed(text)
                assert child.stdout.readline() == text
        finally:
            child.kill()
    log.close()


@pytest.mark.parametrize("before", [b"", b"one\n"])
def test_an_interrupt_ends_it(tmp_path: Path, before: bytes) -> None:
    log = open_log(tmp_path / "api.log")
    log.feed(before + b"go\n")
    log.close()
    script = (
        "import sys; from pathlib import Path; from taskmux.logs import follow\n"
        "try:\n"
        "    for line in follow({'api': Path(sys.argv[1])}, ''): print(line.text, flush=True)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "api.log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        while child.stdout.readline() != b"b'go'\n":
            pass
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == b"interrupted\n"
    assert child.returncode == 0
