"""The baseline of starting tasks: the same shells, made with `posix_spawn` and nothing else."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

SLEEP = "exec sleep 100000"
"""`exec`, or what it costs to sleep would be a grandchild's, which nobody here waits for."""


@contextmanager
def shells(count: int) -> Iterator[None]:
    """Have `count` shells sleep inside the block; they are killed and waited for after it."""
    pids: list[int] = []
    try:
        for _ in range(count):
            pids.append(_spawn())
        yield
    finally:
        for pid in pids:
            os.killpg(pid, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)


def _spawn() -> int:
    plugs = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
    ]
    argv = ["/bin/sh", "-c", SLEEP]
    return os.posix_spawn(argv[0], argv, os.environ, file_actions=plugs, setsid=True)
