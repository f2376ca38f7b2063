"""The host config as people look at it: what holds, where from, and no secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from taskmux.toml import Keys, dotted
from taskmux.toml.words import secret

from .model import Settings
from .read import leaves

MASK = "********"

_NOT_KEYS = {"given", "withheld", "disabled_plugins"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting for people to look at; `source` is a path, or `default`."""

    key: str
    value: Any
    source: str


def view(settings: Settings, source: str, *, reveal: bool = False) -> list[Shown]:
    """Return every setting; `source` is the file's path. Secrets are masked unless `reveal`."""
    return [
        Shown(
            key=dotted(keys),
            value=value if reveal else masked(value, keys),
            source=source if keys in settings.given else "default",
        )
        for keys, value in _flat(settings)
    ]


def masked(value: Any, keys: Keys) -> Any:
    """Return the value of `keys` with every secret in it made unreadable."""
    if any(secret(key) for key in keys):
        return MASK
    match value:
        case dict():
            return {key: masked(item, (key,)) for key, item in value.items()}
        case list():
            return [masked(item, ()) for item in value]
        case StrEnum():
            return str(value)
        case _:
            return value


def _flat(settings: Settings) -> Iterator[tuple[Keys, Any]]:
    for field in fields(settings):
        if field.name not in _NOT_KEYS:
            yield from leaves((field.name,), getattr(settings, field.name))
    yield ("plugins", "disabled"), list(settings.disabled_plugins)
