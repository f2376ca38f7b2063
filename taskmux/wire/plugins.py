"""What is answered about plugins. As in `reports`, fields are JSON keys."""

from __future__ import annotations

from msgspec import Struct

from .reports import Report


class OfferReport(Struct, frozen=True, kw_only=True):
    """One thing a plugin offers. `kind` is for people: `health probe`, `host resolver`."""

    kind: str
    name: str
    summary: str


class PluginReport(Struct, frozen=True, kw_only=True):
    """One installed plugin."""

    name: str
    distribution: str | None
    version: str | None
    enabled: bool
    listens: bool
    """Whether it is told of every event."""

    offers: list[OfferReport]
    ok: bool
    reason: str | None
    """What it failed at last. Not all of it need be out of use for that."""

    hint: str | None
    loaded: bool | None = None
    """Whether the daemon uses it as it is installed now, maybe though it was disabled since; null
    if none runs.
    """


class PluginsReport(Report, frozen=True, kw_only=True):
    """Every plugin that is installed."""

    plugins: list[PluginReport]
