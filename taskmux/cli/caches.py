"""Takes away what Python cached as root before it could be told not to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

FOLDER = "__pycache__"


def uncache(modules: Iterable[str]) -> None:
    """Cache nothing from now on, and delete caches of these modules that root left with others.

    Root follows no link on the way: the folders are the user's.
    """
    sys.dont_write_bytecode = True
    for name in modules:
        source, _, cached = (sys.modules[name].__cached__ or "").partition(f"/{FOLDER}/")
        if cached:
            with suppress(OSError):
                _delete(source, cached)


def _delete(source: str, name: str) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    folder = os.open(source, flags)
    try:
        if os.fstat(folder).st_uid == 0:
            return
        caches = os.open(FOLDER, flags, dir_fd=folder)
        try:
            if os.lstat(name, dir_fd=caches).st_uid == 0:
                os.unlink(name, dir_fd=caches)
            made_by_root = os.fstat(caches).st_uid == 0
        finally:
            os.close(caches)
        if made_by_root:
            os.rmdir(FOLDER, dir_fd=folder)  # fails where there is more in it
    finally:
        os.close(folder)
