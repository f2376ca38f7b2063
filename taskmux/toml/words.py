"""Readers of strings, of the words with a grammar, and of yes and no."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, TypeVar

from .wrong import Reader, Wrong, kind, shown, suggest

Kind = TypeVar("Kind", bound=StrEnum)

_SECRET = re.compile(r"(token|secret|password|(?<!public_)key)$", re.IGNORECASE)
OFFER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def boolean(value: Any) -> bool:
    """Read `true` or `false`, and nothing that merely resembles them."""
    if not isinstance(value, bool):
        raise Wrong(f"it must be true or false, not {kind(value)}")
    return value


def text(value: Any, *, empty: bool = False) -> str:
    """Read a string that a program can be given: with something in it, without NUL."""
    if not isinstance(value, str):
        hint = "put it in quotes" if isinstance(value, int | float) else None
        raise Wrong(f"it must be a string, not {kind(value)}", hint)
    if "\0" in value:
        raise Wrong("it holds a NUL character, which no program can be given")
    if not empty and not value.strip():
        raise Wrong("it is empty", "leave the key out instead")
    return value


def texts(value: Any) -> list[str]:
    """Read a list of strings."""
    if not isinstance(value, list):
        hint = f"write [{shown(value)}]" if isinstance(value, str) else None
        raise Wrong(f"it must be a list of strings, not {kind(value)}", hint)
    return [text(item) for item in value]


def label(value: Any) -> str:
    """Read one part of a host name: lower case letters, digits and inner hyphens, at most 63."""
    found = text(value)
    if not _LABEL.fullmatch(found):
        near = re.sub(r"[^a-z0-9]+", "-", found.lower()[:63]).strip("-")
        why = f"{shown(found)} cannot be part of a host name: only a-z, 0-9 and inner hyphens can"
        raise Wrong(why, f"write {near!r}" if near else None)
    return found


def hostname(value: Any) -> str:
    """Read a host name, without scheme, port or final dot; return it in lower case."""
    found = text(value).lower()
    if len(found) > 253 or not all(_LABEL.fullmatch(part) for part in found.split(".")):
        raise Wrong(f"{shown(found)} is not a host name", "write it like 'api.example.com'")
    return found


def choice(kinds: type[Kind]) -> Reader[Kind]:
    """Return a reader of one of the words of `kinds`."""
    words = [str(each) for each in kinds]

    def read(value: Any) -> Kind:
        found = text(value)
        if found not in words:
            known = " or ".join(f'"{word}"' for word in words)
            raise Wrong(f"{shown(found)} is not {known}", suggest(found, words))
        return kinds(found)

    return read


def offer(value: Any) -> str:
    """Read the name of something that a plugin offers."""
    found = text(value)
    if not OFFER.fullmatch(found):
        raise Wrong(f"{shown(found)} cannot be the name of anything a plugin offers")
    return found


def secret(key: str) -> bool:
    """Return whether a key's name says that its value must not be shown or shared."""
    return _SECRET.search(key) is not None


def address(value: Any) -> str:
    """Read an IP address."""
    import ipaddress  # 10 ms

    found = text(value)
    try:
        ipaddress.ip_address(found)
    except ValueError:
        raise Wrong(f"{shown(found)} is not an IP address", "write '127.0.0.1'") from None
    return found
