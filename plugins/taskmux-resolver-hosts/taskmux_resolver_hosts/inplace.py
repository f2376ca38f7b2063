"""A file written where it is: one that is mounted, or in a folder that is somebody else's."""

from __future__ import annotations

import errno
import os

from .descriptor import write_all
from .held import Disturbed, Held
from .journal import forget, keep, unfinished
from .overlay import padded, shared


def overwrite(held: Held, before: bytes, after: bytes, spare: str | None) -> None:
    """Write `after` over `before`, of which only what differs is touched.

    Raises `Disturbed` if `before` is not what is in the file any more, or `OSError`; the file is
    then as it was. If we are killed on the way, `undo` finds both texts beside it, or in `spare`.
    """
    keep(held, spare, before, after)
    try:
        held.confirm(before)
        _pour(held.fd, before, after)
        if held.read() != after:
            raise OSError(errno.EIO, "what was written is not what is read")
    except Disturbed:
        forget(held, spare)
        raise
    except BaseException:
        _pour(held.fd, held.read(), before)
        forget(held, spare)
        raise
    forget(held, spare)


def undo(held: Held, spare: str | None) -> None:
    """Put back what was in the file before an `overwrite` that never came to its end."""
    before = unfinished(held, spare)
    if before is not None:
        _pour(held.fd, held.read(), before)
    forget(held, spare)


def _pour(fd: int, before: bytes, after: bytes) -> None:
    start = shared(before, after)
    rest = padded(before, after)[start:] if start < len(after) else b""
    write_all(fd, rest, start)
    os.ftruncate(fd, len(after))
    os.fsync(fd)
