"""How tasks and others are reached by name. As in `reports`, fields are JSON keys."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class ProxyReport(Struct, frozen=True):
    """Whether tasks can be reached by name."""

    bound: bool
    port: int | None
    reason: str
    hint: str | UnsetType = UNSET
    """What to do where it is not as it was wished to be."""


class AliasReport(Struct, frozen=True, kw_only=True):
    """A name for a port that no task of the project has."""

    name: str
    host: str
    url: str | None
    """Where a browser finds it; null for a host of `*`, where a task has it, or without proxy."""

    target: str
    port: int
    shadowed_by: str | None
    """The task that has its host, and so gets what is asked there; null if none does."""
