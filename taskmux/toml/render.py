"""Values, tables and keys as TOML text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .places import basic, quoted
from .statements import Keys


def render_table(keys: Keys, values: Mapping[str, object], newline: str) -> str:
    """Return a `[header]` and a line for each of `values`."""
    lines = [f"[{path(keys)}]", *(pair((key,), value) for key, value in values.items())]
    return "".join(line + newline for line in lines)


def pair(keys: Keys, value: object) -> str:
    """Return `key = value`, on one line."""
    return f"{path(keys)} = {render(value)}"


def path(keys: Keys) -> str:
    """Return a dotted key, whole, whatever is in it."""
    return ".".join(quoted(key) for key in keys)


def render(value: object) -> str:
    """Return a value on one line: strings, numbers, truth values, and lists and tables of them."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return basic(value)
        case int():
            return str(value)
        case float():
            return repr(value)
        case Mapping():
            pairs = (pair((str(key),), item) for key, item in value.items())
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case Sequence():
            return f"[{', '.join(render(item) for item in value)}]"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}")
