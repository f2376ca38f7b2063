"""What a process prints, read without blocking from the pipe or terminal it prints to."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from anyio import wait_readable
from anyio.lowlevel import checkpoint

TURN = 65536
"""Bytes taken before everybody else on the event loop has a turn."""

Feed = Callable[[bytes], object]
"""Takes a piece of output, at once; what it returns is ignored."""


async def pump(fd: int, feed: Feed) -> None:
    """Feed all that comes out of `fd` until its end. Cancelled, it has lost nothing it read."""
    while True:
        try:
            piece = gather(fd)
        except BlockingIOError:
            await wait_readable(fd)
            continue
        if not piece:
            return
        feed(piece)
        # Also lets a writer go on, so that often there is more, and nothing to wait for:
        # waiting costs ten times as much as a read that finds nothing.
        await checkpoint()


def gather(fd: int) -> bytes:
    """Return what is there, `TURN` bytes at most; b"" at the end.

    Raise `BlockingIOError` if there is nothing yet.
    """
    pieces: list[bytes] = []
    size = 0
    while size < TURN:  # a terminal gives 4 KiB a read, however much is there
        try:
            piece = _read(fd, TURN - size)
        except BlockingIOError:
            if not pieces:
                raise
            break
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _read(fd: int, size: int) -> bytes:
    try:
        return os.read(fd, size)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""  # Linux's way to say that nobody has the terminal open any more
