"""What a process prints, read without blocking from the pipe or terminal it prints to."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from anyio import wait_readable
from anyio.lowlevel import checkpoint

TURN = 65536
"""Bytes taken before everybody else on the event loop has a turn."""

PIECES = 16
"""Reads after which they have one anyway: who prints a letter at a time costs as much by each."""

Feed = Callable[[bytes], object]
"""Takes a piece of output, at once; what it returns is ignored."""


async def pump(fd: int, feed: Feed) -> None:
    """Feed all that comes out of `fd` until its end. Cancelled, it has lost nothing it read."""
    taken = pieces = 0
    while True:
        try:
            piece = take(fd)
        except BlockingIOError:
            await wait_readable(fd)
            continue
        if not piece:
            return
        # A terminal gives 4 KiB a read, however much is there, and is filled again while
        # these are worked on: gathering more before costs a third of the throughput.
        feed(piece)
        taken += len(piece)
        pieces += 1
        if taken >= TURN or pieces == PIECES:
            taken = pieces = 0
            await checkpoint()


def take(fd: int) -> bytes:
    """Return some of what is there, `TURN` bytes at most; b"" at the end.

    Raise `BlockingIOError` if there is nothing yet.
    """
    try:
        return os.read(fd, TURN)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""  # Linux's way to say that nobody has the terminal open any more
