"""Tells when a taskmux.toml may have changed on disk, however the editor writes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path

import anyio
from anyio import move_on_after
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from taskmux.scarcity import Scarce
from taskmux.threads import in_thread

DEBOUNCE_MS, STEP_MS = 100, 20

LOOK_ANYWAY_MS = 1000
"""Not every file system tells of changes, and a folder can be replaced unseen: so we look, too."""


Signature = tuple[int, ...] | None
"""What changes with a file's content; None where there is no file."""


async def changed_configs(paths: Sequence[Path], stop: anyio.Event) -> AsyncGenerator[Path]:
    """Yield all of `paths`, then each that is written, replaced, removed or back, until `stop`.

    Folders are watched rather than files: editors that save by renaming put a
    new file in the place of the one that was watched. A folder that is gone is
    waited for.
    """
    seen: dict[Path, Signature] = {}
    while paths and not stop.is_set():
        folders = _folders(paths)
        with _watching(folders) as changes:
            told: set[Path] = set()
            while _folders(paths) == folders and not stop.is_set():
                for path in paths:
                    now = _signature(path)
                    if path in told or path not in seen or seen[path] != now:
                        seen[path] = now
                        yield path
                told = _among(paths, await _changes(changes, stop))
                if changes is None:
                    break  # perhaps there are watches now
    await stop.wait()


async def _changes(changes: RustNotify | None, stop: anyio.Event) -> set[tuple[int, str]]:
    if changes is not None:
        wait = partial(changes.watch, DEBOUNCE_MS, STEP_MS, LOOK_ANYWAY_MS, stop)
        with suppress(Scarce):
            batch = await in_thread(wait)
            return batch if isinstance(batch, set) else set()
    with move_on_after(LOOK_ANYWAY_MS / 1000):
        await stop.wait()
    return set()


def _among(paths: Iterable[Path], batch: set[tuple[int, str]]) -> set[Path]:
    named = {str(path.resolve()): path for path in paths} | {str(path): path for path in paths}
    return {named[name] for _, name in batch if name in named}


def _watching(folders: Mapping[Path, int]) -> AbstractContextManager[RustNotify | None]:
    try:
        return RustNotify([str(folder) for folder in folders], False, False, 0, False, True)
    except (OSError, WatchfilesRustInternalError):  # the system has no more watches to give
        return nullcontext()


def _signature(path: Path) -> Signature:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _folders(paths: Iterable[Path]) -> dict[Path, int]:
    """Return what to watch: the folder of each or the nearest that exists, by its inode."""
    return dict(_nearest(path.parent) for path in paths)


def _nearest(folder: Path) -> tuple[Path, int]:
    try:
        return folder, folder.stat().st_ino
    except OSError:
        return _nearest(folder.parent)
