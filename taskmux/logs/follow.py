"""Waits for lines as they are written.

What a log says is always read anew from the last cursor, so it doesn't matter
to what the files did meanwhile: grew, rotated, went away, came back. Changes
of the folders only say when to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .reader import read
from .window import Line, Window

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

_STEP_MS = 10
_LOOK_ANYWAY_MS = 1000
"""Not every file system tells of changes, and a folder can be replaced unseen."""


def follow(sources: Mapping[str, Path], after: str) -> Iterator[Line]:
    """Yield the lines that come after the cursor `after`, for ever.

    Blocks between lines, until the caller is interrupted. Logs, and folders,
    that do not exist yet are waited for.
    """
    while True:
        folders = _folders(sources)
        with suppress(FileNotFoundError), _watch(folders) as changes:
            while _folders(sources) == folders:
                excerpt = read(sources, Window(after=after))
                yield from excerpt.lines
                after = excerpt.next
                if changes.watch(_STEP_MS, _STEP_MS, _LOOK_ANYWAY_MS, None) == "signal":
                    raise KeyboardInterrupt


def _watch(folders: Mapping[Path, int]) -> RustNotify:
    # 90 ms that reading alone does not need.
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    paths = [str(folder) for folder in folders]
    try:
        return RustNotify(paths, False, False, 0, False, True)
    except (OSError, WatchfilesRustInternalError):
        # The system has no more watches to give: look every 200 ms.
        return RustNotify(paths, False, True, 200, False, True)


def _folders(sources: Mapping[str, Path]) -> dict[Path, int]:
    """Return what to watch: each log's folder or the nearest that exists, by its inode."""
    return dict(_nearest(path.parent) for path in sources.values())


def _nearest(folder: Path) -> tuple[Path, int]:
    try:
        return folder, folder.stat().st_ino
    except (FileNotFoundError, NotADirectoryError):
        return _nearest(folder.parent)
