"""Waits for lines as they are written.

What a log says is always read anew from the last cursor, so it doesn't matter
to what the files did meanwhile: grew, rotated, went away, came back. Changes
of the folders only say when to look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from taskmux.watches import LOOK_ANYWAY_MS, folders_of, watching

from .reader import read
from .window import Line, Window

_STEP_MS = 10
_LOOK_UNTOLD = 0.2
"""Seconds from one look to the next where nothing tells of changes."""


def follow(sources: Mapping[str, Path], after: str) -> Iterator[Line]:
    """Yield the lines that come after the cursor `after`, for ever.

    Blocks between lines, until the caller is interrupted. Logs, and folders,
    that do not exist yet are waited for.
    """
    while True:
        folders = folders_of(sources.values())
        with suppress(FileNotFoundError), watching(folders) as changes:
            while folders_of(sources.values()) == folders:
                excerpt = read(sources, Window(after=after))
                yield from excerpt.lines
                after = excerpt.next
                if changes is None:
                    time.sleep(_LOOK_UNTOLD)
                    break  # perhaps there are watches now
                if changes.watch(_STEP_MS, _STEP_MS, LOOK_ANYWAY_MS, None) == "signal":
                    raise KeyboardInterrupt
