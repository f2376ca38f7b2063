"""Reading logs without a daemon: a pattern, next to GNU grep; a time, next to a small log."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from taskmux.cli import main
from taskmux.logs import Window, read, stamp

from . import cpu
from .figure import Figure, at_most
from .rounds import compare
from .scale import Scale

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
A_LOG = 40_000_000
"""Bytes of a task's log by default: four files of 10 MB."""

SMALL, LARGE = 1_000_000, 100_000_000
TIMES = 20
RARE = 1000
"""One line in so many says ERROR."""

WORDS = [
    "GET", "POST", "users", "items", "200", "404", "timeout", "pool", "worker", "request",
    "served", "in", "ms", "cache", "miss",
]  # fmt: skip
CONFIG = 'name = "bench"\n[tasks.log]\ncommand = "true"\nlog_file = "{log}"\n'

TEXT = "^.{24}"
"""Before what an anchored pattern means in our lines: their stamps."""

PATTERNS = {
    "a word that is not there": ("nosuchthing", "nosuchthing"),
    "a word": ("ERROR", "ERROR"),
    "at the beginning": ("^ERROR", f"{TEXT}ERROR"),
    "one of two at the beginning": ("^ERROR|^FATAL", f"{TEXT}(ERROR|FATAL)"),
    "a whole word": (r"\bERROR\b", r"\bERROR\b"),
    "one of two words": ("ERROR|FATAL", "ERROR|FATAL"),
    "digits at the end": ("item [0-9]+$", "item [0-9]+$"),
    "what stamps have too": ("2024-0[0-9]", f"{TEXT}.*2024-0[0-9]"),
}
"""What is looked for, and how: in `logs -g`, and in grep."""


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield how long reading takes: each pattern, a common one, and a time."""
    with TemporaryDirectory(prefix="taskmux-bench-") as place:
        folder = Path(place)
        log = _log(folder / "default.log", A_LOG)
        for what, (ours, theirs) in PATTERNS.items():
            search = partial(_ours, log, ours)
            yield _grep(f"CPU of `logs -g`, {what},", log, search, theirs, scale, limited=True)
        (folder / "taskmux.toml").write_text(CONFIG.format(log=log))
        command = partial(_command, folder, "timeout")
        what = "… of the whole command, a word in half of the lines,"
        yield _grep(what, log, command, "timeout", scale)
        yield _since(folder, scale)


def _grep(
    what: str,
    log: Path,
    ours: Callable[[], float],
    theirs: str,
    scale: Scale,
    limited: bool = False,
) -> Figure:
    found = compare(
        ours,
        partial(_bare, theirs, log),
        scale.reading_rounds,
        warm=True,
    )
    return Figure(
        subject=f"{what} in {A_LOG / 1e6:.0f} MB, to GNU grep",
        value=found.ratio,
        limit=at_most(3) if limited else None,
        ours=f"{median(found.ours) * 1000:.1f} ms",
        bare=f"{median(found.bare) * 1000:.1f} ms",
        spread=found.spread,
    )


def _since(folder: Path, scale: Scale) -> Figure:
    found = compare(
        partial(_timed, _newest(_log(folder / "large.log", LARGE))),
        partial(_timed, _newest(_log(folder / "small.log", SMALL))),
        scale.reading_rounds,
        warm=True,
    )
    return Figure(
        subject="CPU of `logs --since`, ten lines of 100 MB, to ten of 1 MB",
        value=found.ratio,
        limit=at_most(2),
        ours=f"{median(found.ours) * 1000:.2f} ms",
        bare=f"{median(found.bare) * 1000:.2f} ms",
        spread=found.spread,
    )


def _newest(log: Path) -> Callable[[], object]:
    """Return what reads the last ten lines of a log, each a millisecond after the one before."""
    end = datetime.fromisoformat(read({"log": log}, Window(lines=1)).lines[0].ts)
    return partial(read, {"log": log}, Window(since=end - timedelta(milliseconds=9)))


def _timed(do: Callable[[], object]) -> float:
    """Return the processor time of what is done many times: once is too short to tell."""
    before = time.process_time()
    for _ in range(TIMES):
        do()
    return (time.process_time() - before) / TIMES


def _ours(log: Path, pattern: str) -> float:
    """Return the processor time of reading the lines that match."""
    before = time.process_time()
    read({"log": log}, Window(grep=pattern))
    return time.process_time() - before


def _command(folder: Path, pattern: str) -> float:
    """Return the processor time of `taskmux logs log -g` into a pipe that somebody reads."""
    environ = {"TASKMUX_HOME": str(folder / "home"), "TASKMUX_ALLOW_ROOT": "1"}
    with subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin is not None
        with io.TextIOWrapper(reader.stdin, encoding="utf-8") as out:
            before = time.process_time()
            status = main(["logs", "log", "-g", pattern], environ, folder, out, sys.stderr)
            spent = time.process_time() - before
    assert status == 0, f"logs ended with {status}"
    return spent


def _bare(pattern: str, log: Path) -> float:
    """Return the processor time of grep."""
    before = cpu.of_our_children()
    # Bytes, as we: with another locale it is slower.
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    command = ["grep", "-E", pattern, str(log)]
    subprocess.run(command, stdout=subprocess.PIPE, env=environ, check=False)
    return cpu.of_our_children() - before


def _log(path: Path, size: int) -> Path:
    """Write a log of about so many bytes and return its place."""
    choose, written, number = random.Random(size), 0, 0
    with path.open("wb") as file:
        while written < size:
            instant = BEGAN.timestamp() + number / 1000
            words = choose.choices(WORDS, k=9)
            text = f"ERROR item {number}" if number % RARE == 0 else " ".join(words)
            written += file.write(stamp(instant) + b" " + text.encode() + b"\n")
            number += 1
    return path
