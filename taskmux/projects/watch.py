"""Tells when a taskmux.toml may have changed on disk, however the editor writes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import anyio
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from taskmux.scarcity import Scarce
from taskmux.threads import in_thread

DEBOUNCE_MS, STEP_MS = 100, 20

LOOK_ANYWAY_MS = 1000
"""Not every file system tells of changes, and a folder can be replaced unseen."""


async def changed_configs(paths: Sequence[Path], stop: anyio.Event) -> AsyncGenerator[Path]:
    """Yield each of `paths` that is written, replaced, removed or comes back, until `stop`.

    Folders are watched rather than files: editors that save by renaming put a
    new file in the place of the one that was watched. A folder that is gone is
    waited for. All are yielded whenever watching begins: what changed before
    that nobody saw.
    """
    while paths and not stop.is_set():
        folders = _folders(paths)
        with suppress(FileNotFoundError), _watching(folders) as changes:
            for path in paths:
                yield path
            while _folders(paths) == folders and not stop.is_set():
                batch = await _changes(changes, stop)
                for path in _among(paths, batch) if isinstance(batch, set) else ():
                    yield path
    await stop.wait()


async def _changes(changes: RustNotify, stop: anyio.Event) -> object:
    wait = partial(changes.watch, DEBOUNCE_MS, STEP_MS, LOOK_ANYWAY_MS, stop)
    try:
        return await in_thread(wait)
    except Scarce:  # then look now and then
        await anyio.sleep(LOOK_ANYWAY_MS / 1000)
        return changes.watch(1, 1, 1, None)


def _among(paths: Iterable[Path], batch: set[tuple[int, str]]) -> set[Path]:
    named = {str(path.resolve()): path for path in paths} | {str(path): path for path in paths}
    return {named[name] for _, name in batch if name in named}


def _watching(folders: Mapping[Path, int]) -> RustNotify:
    names = [str(folder) for folder in folders]
    try:
        return RustNotify(names, False, False, 0, False, True)
    except (OSError, WatchfilesRustInternalError):
        # The system has no more watches to give: look now and then.
        return RustNotify(names, False, True, LOOK_ANYWAY_MS, False, True)


def _folders(paths: Iterable[Path]) -> dict[Path, int]:
    """Return what to watch: the folder of each or the nearest that exists, by its inode."""
    return dict(_nearest(path.parent) for path in paths)


def _nearest(folder: Path) -> tuple[Path, int]:
    try:
        return folder, folder.stat().st_ino
    except OSError:
        return _nearest(folder.parent)
