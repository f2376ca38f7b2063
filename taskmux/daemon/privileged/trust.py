"""Whether code is as safe from others as taskmux itself: what root imports besides has to be.

Who may change taskmux, or its Python, is root as soon as somebody puts `sudo` before it. Nobody
else may become root by way of a plugin.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from taskmux.files import passed
from taskmux.plugins import Source


@dataclass(frozen=True, slots=True)
class Guarded:
    """A plugin that is not imported from where others than root may change it.

    It is where they may change taskmux itself, or its Python, anyway.
    """

    point: EntryPoint

    @property
    def name(self) -> str:
        """What `taskmux plugins` calls it."""
        return self.point.name

    @property
    def dist(self) -> Distribution | None:
        """The distribution it is of."""
        return self.point.dist

    def load(self) -> Any:
        """Import the plugin, with whatever that raises; `ImportError` where it may not be."""
        if not any(map(changeable, [Path(sys.executable), Path(__file__)])):
            for place in filter(changeable, _places(self.point)):
                error = ImportError(f"root would run {place}, which others may change")
                error.add_note("install it where taskmux itself is installed")
                raise error
        return self.point.load()


def guarded(source: Source) -> Source:
    """Return a plugin, not imported from where it may not be; what is no code needs no guard."""
    return Guarded(source) if isinstance(source, EntryPoint) else source


def changeable(place: Path) -> bool:
    """Return whether others than root may change what is found at `place`, wherever that leads."""
    return any(_loose(one.lstat()) for one in passed(place) if os.path.lexists(one))


def _loose(found: os.stat_result) -> bool:
    """Return whether others may change it; of a link the mode says nothing."""
    if found.st_uid != 0:
        return True
    if stat.S_ISLNK(found.st_mode):
        return False
    group = stat.S_IWGRP if found.st_gid != 0 else 0
    # In a folder such as /tmp nobody can replace what is another's.
    return bool(found.st_mode & (group | stat.S_IWOTH)) and not found.st_mode & stat.S_ISVTX


def _places(point: EntryPoint) -> Iterator[Path]:
    """Yield where the plugin is, without importing anything of it."""
    spec = find_spec(point.module.partition(".")[0])
    if spec is None:
        return
    origins = [spec.origin] if spec.has_location and spec.origin is not None else []
    for place in [*origins, *(spec.submodule_search_locations or [])]:
        yield Path(place)
