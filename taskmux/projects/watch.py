"""Tells when a taskmux.toml changed on disk, however the editor writes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
from watchfiles import awatch


async def changed_configs(paths: Sequence[Path], stop: anyio.Event) -> AsyncIterator[Path]:
    """Yield each of `paths` that is written, replaced, removed or comes back, until `stop`.

    Folders are watched rather than files: editors that save by renaming put a
    new file in the place of the one that was watched.
    """
    folders = {path.parent for path in paths if path.parent.is_dir()}
    if not folders:
        await stop.wait()
        return
    wanted = {str(path.resolve()): path for path in paths} | {str(path): path for path in paths}
    changes = awatch(
        *folders, watch_filter=None, debounce=100, step=20, stop_event=stop, recursive=False
    )
    async for batch in changes:
        for path in {wanted[name] for _, name in batch if name in wanted}:
            yield path
