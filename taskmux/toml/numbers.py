"""Readers of numbers, of times in seconds and of sizes in bytes."""

from __future__ import annotations

import math
import re
from typing import Any

from taskmux.when import parse_duration

from .wrong import Reader, Wrong, kind, shown

DAY = 86400.0

_UNITS = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([KMG]I?B|B)", re.IGNORECASE)


def whole(low: int, high: int) -> Reader[int]:
    """Return a reader of whole numbers from `low` to `high`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"it must be a whole number, not {kind(value)}")
        if not low <= value <= high:
            raise Wrong(f"it must be from {low} to {high}")
        return value

    return read


def number(low: float, high: float) -> Reader[float]:
    """Return a reader of finite numbers from `low` to `high`."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Wrong(f"it must be a number, not {kind(value)}")
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if not math.isfinite(found):
            raise Wrong("it must be finite")
        if not low <= found <= high:
            raise Wrong(f"it must be {_range(low, high)}")
        return found

    return read


def duration(low: float, high: float = DAY) -> Reader[float]:
    """Return a reader of times: a number of seconds, or a string like `500ms` or `1m`."""

    def read(value: Any) -> float:
        if isinstance(value, str):
            found = parse_duration(value)
            if found is None:
                raise Wrong(f"{shown(value)} is not a time", 'write 10, "500ms" or "1m30s"')
            value = found
        return number(low, high)(value)

    return read


def size(low: int, high: int) -> Reader[int]:
    """Return a reader of sizes: a number of bytes, or a string like `10MB` or `1GiB`."""

    def read(value: Any) -> int:
        if isinstance(value, str):
            found = _SIZE.fullmatch(value)
            if found is None:
                raise Wrong(f"{shown(value)} is not a size", 'write "10MB", "512KiB" or "1GB"')
            value = int(float(found[1]) * _UNITS[found[2].upper()])
        return whole(low, high)(value)

    return read


def _range(low: float, high: float) -> str:
    return f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
