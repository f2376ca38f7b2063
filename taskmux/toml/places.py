"""Where a key stands in the text, and how its path is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from .statements import Keys, TooDeep, statements

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHOWN = 60


def line_of(text: str, keys: Keys) -> int | None:
    """Return the line, from 1, where `keys` is set, or the nearest table around it begins."""
    try:
        found = list(statements(text))
    except TooDeep:
        return None
    for length in range(len(keys), 0, -1):
        part = keys[:length]
        below = [each for each in found if each.keys[:length] == part]
        if below:
            return next((each for each in below if each.keys == part), below[0]).line
    return None


def dotted(keys: Iterable[str]) -> str:
    """Return a path as TOML writes it, `tasks."build:watch".command`, each part cut to size."""
    return ".".join(quoted(key if len(key) <= _SHOWN else f"{key[:_SHOWN]}…") for key in keys)


def quoted(key: str) -> str:
    """Return one key as TOML writes it: in quotes if it needs them."""
    return key if _BARE.fullmatch(key) else basic(key)


def basic(text: str) -> str:
    """Return `text` as a TOML string on one line, in double quotes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
