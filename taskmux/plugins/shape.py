"""Whether what a hook returned is what it promised: pure."""

from __future__ import annotations

from typing import Any

from taskmux.toml.words import OFFER

PLAIN = {"str": str, "int": int}
"""Types of a Protocol's properties that are looked at; any other only has to be there."""


class WrongShape(ValueError):
    """An offer that taskmux could not use. `fault` completes "… "."""

    def __init__(self, offer: Any, fault: str) -> None:
        super().__init__(f"{getattr(offer, 'name', offer)!r} {fault}")


def check_shape(offer: Any, shape: type) -> None:
    """Raise `WrongShape` if `offer` lacks something that the Protocol `shape` has."""
    for name, member in vars(shape).items():
        if name.startswith("_"):
            continue
        if not hasattr(offer, name):
            raise WrongShape(offer, f"has no {name}")
        if isinstance(member, property):
            _check_value(offer, name, member.fget.__annotations__["return"])
        elif not callable(getattr(offer, name)):
            raise WrongShape(offer, f"has {name}, but not as a function")
    check_name(offer.name)


def check_name(name: Any) -> None:
    """Raise `WrongShape` unless people can write `name` in a table and on a command line."""
    if not isinstance(name, str) or not OFFER.fullmatch(name):
        fault = "is not a name: it must be one word of letters, digits, _ and -, 64 at most"
        raise WrongShape(name, fault)


def _check_value(offer: Any, name: str, promised: str) -> None:
    kind = PLAIN.get(promised, object)
    if not isinstance(getattr(offer, name), kind):
        raise WrongShape(offer, f"has {name}, but not as {kind.__name__}")
