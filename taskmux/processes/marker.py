"""Markers: what all processes of one run carry, and no others. They tell whose run it is."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from .scan import IsOurs

TAG = len("xxxxxxxx-xxxx")
"""So much of a marker, a random UUID otherwise, is the same for all runs of a home."""


def new_marker(home: Path) -> str:
    """Return a marker for a run of the daemon that lives in `home`."""
    return _tag(home) + str(uuid4())[TAG:]


def akin(marker: str | None) -> str:
    """Return a marker for something that is run aside, of the same home as that of `marker`."""
    other = str(uuid4())
    return other if marker is None else marker[:TAG] + other[TAG:]


def of_home(home: Path) -> IsOurs:
    """Tell by its marker whether a run is one of `home`, by this daemon or an earlier one."""
    tag = _tag(home)
    return lambda marker: marker.startswith(tag)


@lru_cache  # a home that is moved while its daemon lives stays the same home
def _tag(home: Path) -> str:
    # The path alone may be found in two containers that see each other's processes; the
    # folder alone may be another home by now, as its number is used again.
    found = home.stat()
    name = f"{home.resolve()}\0{found.st_dev}\0{found.st_ino}"
    tag = sha256(name.encode(errors="surrogateescape")).hexdigest()
    return f"{tag[:8]}-{tag[8:12]}"
