"""Two files of a folder, each given the other's name at once."""

from __future__ import annotations

import errno
import os
import sys

SWAP = 2
"""RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS."""

_CALLS = {"linux": "renameat2", "darwin": "renameatx_np"}
_UNKNOWN = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})
"""What a system, or a file system, says that cannot do it."""


def exchange(folder: int, one: str, other: str) -> bool:
    """Exchange two files of `folder`; return whether that can be done here, or raise `OSError`."""
    try:
        import ctypes  # 10 ms; and a Python that was built without libffi has none

        call = getattr(ctypes.CDLL(None, use_errno=True), _CALLS.get(sys.platform, ""))
    except (ImportError, AttributeError, OSError):  # the C library may be an old one
        return False
    names = [os.fsencode(one), os.fsencode(other)]
    if call(folder, names[0], folder, names[1], SWAP) == 0:
        return True
    if (number := ctypes.get_errno()) in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number))
