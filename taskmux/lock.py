"""One at a time, across processes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

PAUSE = 0.01
"""Seconds between two looks at a lock that somebody holds: the kernel's own wait has no limit."""


@contextmanager
def alone(path: Path, patience: float = inf) -> Iterator[int]:
    """Wait until nobody else holds the lock file, and hold it; it and its folder are created.

    Raises `TimeoutError` after `patience` seconds. Yields the descriptor: a process
    that inherits it goes on holding the lock until it closes it, or ends, however that happens.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(handle, time.monotonic() + patience)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise TimeoutError from None
            time.sleep(PAUSE)
        else:
            return
