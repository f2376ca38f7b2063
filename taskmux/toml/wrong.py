"""A value that cannot be meant, and the words in which to say so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from taskmux.errors import closest

from .statements import Keys

T = TypeVar("T")
Reader = Callable[[Any], T]
"""Takes what TOML says, returns what is meant, or raises `Wrong`."""


class Wrong(Exception):
    """A value that cannot be meant. `why` completes "… is wrong: ", `keys` lead to it."""

    def __init__(self, why: str, hint: str | None = None, keys: Keys = ()) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint
        self.keys = keys


class Unknown(Wrong):
    """A key that means nothing there; `known` are those that do."""

    def __init__(self, key: str, known: Collection[str]) -> None:
        super().__init__("there is no such key", suggest(key, known), (key,))
        self.known = known


@contextmanager
def inside(key: str) -> Iterator[None]:
    """Put `key` in front of the path of a `Wrong` raised within."""
    try:
        yield
    except Wrong as wrong:
        wrong.keys = (key, *wrong.keys)
        raise


def suggest(word: str, known: Collection[str]) -> str | None:
    """Return `did you mean 'api'?` where that is likely; cheap for a word of any length."""
    return closest(word, known) if len(word) <= 64 else None


def shown(text: str) -> str:
    """Return a value for use in a sentence: quoted, and cut to size."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def kind(value: Any) -> str:
    """Return what people call a value of this type."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"
