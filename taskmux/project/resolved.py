"""A task's table as it is understood, for people and programs to look at."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from .fields import Type
from .model import TaskConfig


def resolved(task: TaskConfig) -> dict[str, Any]:
    """Return the whole table under the keys of taskmux.toml, as plain values that JSON holds.

    Where the file is silent it has the default, or None where there is none.
    """
    found = {field.name: _plain(getattr(task, field.name)) for field in fields(task)}
    oneshot = found.pop("oneshot")
    return found | {"type": str(Type.ONESHOT) if oneshot else None}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case str():
            return str(value)
        case _:
            return value
