"""Tells when a taskmux.toml may have changed on disk, however the editor writes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import move_on_after

from taskmux.scarcity import Scarce
from taskmux.threads import in_thread
from taskmux.watches import LOOK_ANYWAY_MS, folders_of, watching

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

DEBOUNCE_MS, STEP_MS = 100, 20

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
        folders = folders_of(paths)
        with watching(folders) as changes:
            told: set[Path] = set()
            while folders_of(paths) == folders and not stop.is_set():
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


def _signature(path: Path) -> Signature:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
