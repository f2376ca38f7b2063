"""Watches of folders: whoever has one need not look all the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

LOOK_ANYWAY_MS = 1000
"""Not every file system tells of changes, and a folder can be replaced unseen: so look, too."""


def folders_of(files: Iterable[Path]) -> dict[Path, int]:
    """Return what to watch: the folder of each or the nearest that exists, by its inode."""
    return dict(_nearest(file.parent) for file in files)


def watching(folders: Mapping[Path, int]) -> AbstractContextManager[RustNotify | None]:
    """Watch `folders` within the block; None if they are gone, or the system has no watches."""
    # 90 ms that whoever only reads does not need.
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    try:
        return RustNotify([str(folder) for folder in folders], False, False, 0, False, True)
    except (OSError, WatchfilesRustInternalError):
        # The library's own polling compares whole seconds: two changes in one are one.
        return nullcontext()


def _nearest(folder: Path) -> tuple[Path, int]:
    try:
        return folder, folder.stat().st_ino
    except OSError:
        return _nearest(folder.parent)
