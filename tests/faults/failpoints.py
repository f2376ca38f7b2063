"""Runs the daemon, and kills it before, within or after its Nth call of a kind. Run as a script.

`DIE_AT=rename:after:3` is the point, `LIFELINE` a descriptor that only this process keeps
open: its end tells of the death, and an `x` in it that the point was reached.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

KINDS = ("spawn", "signal", "rename", "unlink", "write", "state", "reap")
MOMENTS = ("before", "within", "after")
TORN = {"write", "state"}
"""What can be done in part."""


class Fate:
    """Counts the calls of one kind, and ends us at one of them."""

    def __init__(self, kind: str, moment: str, number: int, lifeline: int) -> None:
        self.kind, self.moment = kind, moment
        self._left = number
        self._lifeline = lifeline
        self._kill, self._write = os.kill, os.write
        self._turn = threading.RLock()

    def due(self) -> bool:
        with self._turn:
            self._left -= 1
            return self._left == 0

    def strike(self) -> None:
        self._write(self._lifeline, b"x")
        self._kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    def guarded(self, call: Callable[..., Any], part: Callable[..., Any]) -> Callable[..., Any]:
        """Return `call`, deadly when it is due; `part` does it in part."""

        def guarded(*args: Any, **options: Any) -> Any:
            if not self.due():
                return call(*args, **options)
            if self.moment == "within":
                part(*args)
            elif self.moment == "after":
                with suppress(OSError):  # what it was about to raise comes too late
                    call(*args, **options)
            return self.strike()

        return guarded

    def guard(self, place: Any, name: str) -> None:
        setattr(place, name, self.guarded(getattr(place, name), _nothing))


def _nothing(*_: object) -> None:
    pass


def arm(fate: Fate) -> None:
    """Put the one kind of call that is meant into the hands of fate."""
    match fate.kind:
        case "spawn":
            fate.guard(os, "posix_spawn")
        case "signal":
            fate.guard(os, "kill")
            fate.guard(os, "killpg")
            fate.guard(signal, "pidfd_send_signal")
        case "rename":
            fate.guard(os, "replace")
            fate.guard(os, "rename")
        case "unlink":
            fate.guard(os, "unlink")
        case "reap":
            fate.guard(os, "waitpid")
        case "write":
            write = os.write
            os.write = fate.guarded(write, lambda fd, data: write(fd, data[: len(data) // 2]))
        case "state":
            _arm_files(fate)


def _arm_files(fate: Fate) -> None:
    fdopen, write_bytes = os.fdopen, Path.write_bytes

    def opened(fd: int, mode: str = "r", *args: Any, **options: Any) -> IO[Any]:
        file = fdopen(fd, mode, *args, **options)
        if mode == "wb":
            assert isinstance(file, io.BufferedWriter)
            return _Deadly(file, fate)
        return file

    def half(path: Path, data: bytes) -> None:
        write_bytes(path, data[: len(data) // 2])

    os.fdopen = opened  # type: ignore[assignment]
    Path.write_bytes = fate.guarded(write_bytes, half)  # type: ignore[method-assign]


class _Deadly(io.BufferedWriter):
    def __init__(self, file: io.BufferedWriter, fate: Fate) -> None:
        super().__init__(file.detach())
        self._fate = fate

    def write(self, data: Any, /) -> int:
        write = super().write

        def whole(data: bytes) -> int:
            written = write(data)
            self.flush()
            return written

        def half(data: bytes) -> None:
            whole(data[: len(data) // 2])

        return int(self._fate.guarded(whole, half)(data))


if __name__ == "__main__":
    from taskmux.daemon.app import main

    kind, moment, number = os.environ.pop("DIE_AT").split(":")
    lifeline = int(os.environ.pop("LIFELINE"))
    os.set_inheritable(lifeline, False)
    arm(Fate(kind, moment, int(number), lifeline))
    sys.exit(main(sys.argv[1:], os.environ))
