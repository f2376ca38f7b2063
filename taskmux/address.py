"""Names for Unix sockets that fit the kernel, which takes no more than about 100 bytes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100
"""Bytes of a path every kernel takes: Linux has room for 107, macOS for 103."""


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """Yield a name under which the socket at `path` can be bound, or connected to.

    A long path is reached through its folder, which must exist; the name is good
    only inside the `with`. Raises `OSError` where the system has no way to do that.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    if sys.platform != "linux":
        raise OSError(errno.ENAMETOOLONG, f"longer than {LONGEST} bytes", str(path))
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
