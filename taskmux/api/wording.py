"""Says what is wrong with `params` in terms of JSON, where msgspec speaks Python."""

from __future__ import annotations

import re
from collections.abc import Iterable

from taskmux.errors import BadRequest, closest

_MISMATCH = re.compile(r"Expected `(?P<wanted>[^`]+)`(?P<limit>[^,]*), got `(?P<found>[^`]+)`")
_MISSING = re.compile(r"Object missing required field `(?P<key>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.+?)`(?: - at `|$)", re.DOTALL)
_PLACE = re.compile(r" - at `(?P<key>key(?: in)? )?\$(?P<path>[^`]*)`$")

_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "a string",
}


def complaint(message: str, known: Iterable[str]) -> BadRequest:
    """Return the error for msgspec's `message` about params whose keys are `known`."""
    known = sorted(known)
    if found := _UNKNOWN.search(message):
        key, place = found["key"], _place(message)
        hint = closest(key, known) or f"known here: {', '.join(known) or 'none'}"
        return BadRequest(f"{place} has no key {key!r}", hint=hint)
    if found := _MISSING.search(message):
        return BadRequest(f"{_place(message)}.{found['key']} is missing", hint=None)
    if found := _MISMATCH.search(message):
        wanted, got = _kinds(found["wanted"]), _kinds(found["found"])
        return BadRequest(f"{_place(message)} must be {wanted}, not {got}", hint=None)
    if "out of range" in message:
        return BadRequest(f"{_place(message)} is too large a number", hint=None)
    return BadRequest(f"{_place(message)} is not as it should be", hint=None)


def _place(message: str) -> str:
    """Return where it is wrong: `params`, `params.tasks[0]`, `params.environ[…]`."""
    found = _PLACE.search(message)
    if found is None:
        return "params"
    path = found["path"].replace("[...]", "[…]")
    return f"a key of params{path}" if found["key"] else f"params{path}"


def _kinds(union: str) -> str:
    names = [_KINDS.get(name, name) for name in union.split(" | ")]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
