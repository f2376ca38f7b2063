"""What one plugin's answer to one hook holds, checked."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pluggy import HookImpl

from .calls import encodable
from .shape import WrongShape, check_name, check_shape

MOST = 1000
"""Offers taken from one hook; a generator need not end."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing a plugin offers. `kind` is for people: `health probe`."""

    plugin: str
    kind: str
    name: str
    summary: str
    value: Any
    """The resolver, probe, … itself; of a command, what returns its Typer app."""


def ask(impl: HookImpl, kind: str, shape: type | None, taken: Container[str]) -> dict[str, Offer]:
    """Return what a plugin answers, by name; raise whatever it raises, or `WrongShape`.

    `shape` is the Protocol of such an offer, None where it is a command.
    """
    offers: dict[str, Offer] = {}
    answer: Any = impl.function()
    for value in islice(answer, MOST):
        offer = _command(value) if shape is None else _thing(value, shape)
        name, summary, value = offer
        if name in taken or name in offers:
            raise WrongShape(name, "is offered already")
        offers[name] = Offer(impl.plugin_name, kind, name, summary, value)
    return offers


def _thing(value: Any, shape: type) -> tuple[str, str, Any]:
    check_shape(value, shape)
    return value.name, encodable(getattr(value, "summary", "")), value


def _command(value: Any) -> tuple[str, str, Any]:
    if not isinstance(value, tuple) or len(value) != 2 or not callable(value[1]):
        raise WrongShape(value, "is not a command: a name, and what returns its app")
    check_name(value[0])
    return value[0], "", value[1]
