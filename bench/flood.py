"""A task that prints 200 MB, next to a loop that reads the same terminal and keeps nothing."""

from __future__ import annotations

import os
import shlex
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from taskmux import wire

from . import cpu
from .daemon import Daemon, running
from .figure import Figure, at_least, at_most
from .rounds import compare
from .scale import Scale

TEXT = b"the quick brown fox jumps over the lazy dog, again and again, line after line."
LINE = TEXT + b".\n"
STAMP = 24
"""Bytes before the text of a line in the log."""

ROUND = 500
"""Lines in one `write` of the writer; the number of lines is a multiple of it."""

WRITER = """
import sys
put, piece = sys.stdout.buffer.write, {line!r} * {round}
for _ in range({times}): put(piece)
"""


@dataclass(frozen=True, slots=True)
class _Reader:
    """What else is to be known of those who read, round by round."""

    costs: list[float] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the throughput, to that of the bare loop, and how many lines are not in the log."""
    command = writer(scale.flood_lines)
    table = (
        f"[tasks.flood]\ncommand = {toml(command)}\nlog_max_size = '2GB'\nrestart_policy = 'no'\n"
    )
    ours, bare = _Reader(), _Reader()
    with running(table) as daemon:
        found = compare(
            partial(_ours, daemon, scale.flood_lines, ours),
            partial(_bare, command, bare),
            scale.flood_rounds,
            warm=True,
        )
    size = scale.flood_lines * len(LINE) / 1e6
    low, high = found.spread
    yield Figure(
        subject=f"{size:.0f} MB printed by a task: throughput, to a bare read loop",
        value=1 / found.ratio,
        limit=at_least(0.9),
        ours=f"{size / median(found.ours):.0f} MB/s",
        bare=f"{size / median(found.bare):.0f} MB/s",
        spread=(1 / high, 1 / low),
    )
    yield Figure(subject="… lines of it missing in the log", value=sum(ours.lost), limit=at_most(0))
    yield Figure(
        subject="… CPU of reading and keeping it, to that of the loop",
        value=median(ours.costs) / median(bare.costs),
        ours=f"{median(ours.costs):.2f} s",
        bare=f"{median(bare.costs):.2f} s",
    )


def writer(lines: int) -> str:
    """Return a shell command that prints `lines` lines as fast as it can."""
    program = WRITER.format(line=LINE, round=ROUND, times=lines // ROUND)
    return f"exec {shlex.quote(sys.executable)} -S -c {shlex.quote(program)}"


def toml(text: str) -> str:
    """Return `text` as a TOML string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _ours(daemon: Daemon, lines: int, reader: _Reader) -> float:
    """Return the seconds from the start of the task until its end is known."""
    before, began = cpu.of_process(daemon.process), time.perf_counter()
    daemon.start("flood", wait=False)
    daemon.client.wait(wire.Wait(config=daemon.config, task="flood", until="exit"))
    seconds = time.perf_counter() - began
    reader.costs.append(cpu.of_process(daemon.process) - before)
    reader.lost.append(lines - _kept(daemon.log("flood")))
    daemon.client.clean_logs(wire.CleanLogs(config=daemon.config))
    return seconds


def _kept(log: Path) -> int:
    """Return how many of the printed lines the log holds, to the last byte."""
    whole, pieces = 0, bytearray()
    with log.open("rb") as lines:
        for line in lines:
            text = line[STAMP:]
            if text == LINE:
                whole += 1
            elif not text.startswith(b"[taskmux] "):
                # Where the writer was held up for 250 ms within a line, the log has two.
                pieces += text[:-1]
    return whole + pieces.count(LINE[:-1])


def _bare(command: str, reader: _Reader) -> float:
    """Return the seconds from spawning the same shell until its terminal has hung up."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    _plain_newlines(slave)
    before, began = time.process_time(), time.perf_counter()
    plugs = [
        (os.POSIX_SPAWN_OPEN, 0, path, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    ]
    argv = ["/bin/sh", "-c", command]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=plugs, setsid=True)
    os.close(slave)
    try:
        with suppress(OSError):  # Linux's way to say that nobody has it open any more
            while os.read(master, 65536):
                pass
    finally:
        os.close(master)
        os.waitpid(pid, 0)
    reader.costs.append(time.process_time() - before)
    return time.perf_counter() - began


def _plain_newlines(terminal: int) -> None:
    # As a task's terminal is: with carriage returns added there would be more to read.
    flags = termios.tcgetattr(terminal)
    flags[1] &= ~termios.ONLCR
    flags[3] &= ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(terminal, termios.TCSANOW, flags)
