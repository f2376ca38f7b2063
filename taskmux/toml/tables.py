"""Readers of tables, made of readers of values.

Each puts its key in front of the path of a `Wrong` that passes through, so that
the outermost knows the whole path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .numbers import number, whole
from .words import boolean, text
from .wrong import Reader, T, Unknown, Wrong, inside, kind

_WHOLE = 2**63


def table(fields: Mapping[str, Reader[Any]], required: str | None = None) -> Reader[dict[str, Any]]:
    """Return a reader of tables with these keys; what the table leaves out is left out."""

    def read(value: Any) -> dict[str, Any]:
        found = mapping(value)
        for key in found:
            if key not in fields:
                raise Unknown(key, fields)
        if required is not None and required not in found:
            raise Wrong("it is missing", f"add {required} = …", (required,))
        result = {}
        for key, read_field in fields.items():
            if key in found:
                with inside(key):
                    result[key] = read_field(found[key])
        return result

    return read


def each(read: Reader[T], check: Callable[[str], object] = str) -> Reader[dict[str, T]]:
    """Return a reader of tables whose keys are free, as far as `check` lets them pass."""

    def read_all(value: Any) -> dict[str, T]:
        result = {}
        for key, item in mapping(value).items():
            with inside(key):
                check(key)
                result[key] = read(item)
        return result

    return read_all


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is a table."""
    if not isinstance(value, dict):
        raise Wrong(f"it must be a table, not {kind(value)}")
    return value


def free(value: Any) -> Any:
    """Return a value of any shape whose meaning is a plugin's to know; JSON can hold it."""
    match value:
        case dict():
            return each(free)(value)
        case list():
            return [free(item) for item in value]
        case str():
            return text(value, empty=True)
        case bool():
            return boolean(value)
        case int():
            return whole(-_WHOLE, _WHOLE - 1)(value)
        case float():
            return number(-math.inf, math.inf)(value)
        case _:
            raise Wrong(f"it is {kind(value)}", "put it in quotes")


def free_table(value: Any) -> dict[str, Any]:
    """Return a table whose meaning is a plugin's to know."""
    return each(free)(value)
