"""Tells whether anybody of a task lives, without taskmux: who has its FIFO open?"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

RUNS = (1, 2)
"""The runs that a test may see; each has a FIFO of its own."""


class Lair:
    """A folder with a FIFO for each run of a task, and our reading ends of them.

    The end of a FIFO proves that nobody has it open for writing any more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends: dict[int, int] = {}

    def prepare(self) -> None:
        """Make the FIFOs; their folder is there by now."""
        for run in RUNS:
            os.mkfifo(self.proof(run))
            self._ends[run] = os.open(self.proof(run), os.O_RDONLY | os.O_NONBLOCK)

    def proof(self, run: int) -> Path:
        """The path of a run's FIFO, which those that close their descriptors show in /proc."""
        return self._folder / f"proof.{run}"

    def await_up(self, run: int) -> None:
        """Return once the run has said that it is as hostile as it gets."""
        poll = select.poll()
        poll.register(self._ends[run], select.POLLIN)
        said = b""
        while not said.endswith(b"up\n"):
            assert poll.poll(20_000), "it never came up"
            said += os.read(self._ends[run], 65536)

    def empty(self, run: int) -> bool:
        """Return whether nobody has the run's FIFO open now."""
        with suppress(BlockingIOError):
            while os.read(self._ends[run], 65536):
                pass
            return True
        return False

    def left(self, run: int) -> list[int]:
        """Return who has the run's FIFO open, or shows its path in the command line."""
        proof = str(self.proof(run))
        return [pid for pid in others() if proof in (*opened(pid), *words(pid))]

    def hidden(self, run: int) -> list[int]:
        """Return those of `left` that only the command line gives away."""
        return [pid for pid in self.left(run) if str(self.proof(run)) not in opened(pid)]

    def clear(self) -> None:
        """Kill whoever is left of any run, and fail if that takes too long."""
        (self._folder / "go").unlink(missing_ok=True)
        until = time.monotonic() + 20
        while not all(self._gone(run) for run in self._ends):
            assert time.monotonic() < until, "could not clean up"
        for end in self._ends.values():
            os.close(end)

    def _gone(self, run: int) -> bool:
        left = self.left(run)
        for pid in left:
            with suppress(ProcessLookupError):
                group = os.getpgid(pid)
                if group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
        return not left and self.empty(run)


def others() -> list[int]:
    """Return every process but this one."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in found if pid != os.getpid()]


def opened(pid: int) -> list[str]:
    """Return what a process has open; its first thread may have ended before the others."""
    found = []
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for entry in (thread / "fd").iterdir():
                with suppress(OSError):
                    found.append(str(entry.readlink()))
    return found


def words(pid: int) -> list[str]:
    """Return the words of a process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
