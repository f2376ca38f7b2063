"""What is done with an open file: read it, write it, close it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closing(fd: int) -> Iterator[int]:
    """Yield a descriptor that is closed afterwards."""
    try:
        yield fd
    finally:
        os.close(fd)


def read_all(fd: int, limit: int) -> bytes:
    """Return what is in a file, wherever it stands; raise `OSError`, also for more than `limit`."""
    pieces, size = [], 0
    while piece := os.pread(fd, 1 << 20, size):
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return b"".join(pieces)


def write_all(fd: int, content: bytes, start: int = 0) -> None:
    """Write `content` to a file from `start` on; raise `OSError`, with some of it written."""
    while content:
        written = os.pwrite(fd, content, start)
        start, content = start + written, content[written:]
