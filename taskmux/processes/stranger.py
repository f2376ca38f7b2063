"""Whether somebody else has taken a port of ours."""

from __future__ import annotations

import os
import sys


def stranger(address: str, port: int) -> int | None:
    """Return another user whose program is reached at an address of this machine; else None.

    Root is no other: whoever runs containers listens for what is in them. None where
    that can't be told.
    """
    if sys.platform != "linux":
        return None
    from . import diag

    try:
        owner = diag.owner(address, port)
    except OSError:  # a sandbox, or a kernel without it
        return None
    return owner if owner not in (None, 0, os.getuid()) else None
