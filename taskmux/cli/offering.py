"""Plugins as lines for people: who offers what, and what is wrong with whom."""

from __future__ import annotations

from collections.abc import Iterator

from taskmux.wire import PluginReport, PluginsReport

from .plain import Ink, plain


def offering(report: PluginsReport, ink: Ink) -> Iterator[str]:
    """Yield a line for each plugin, what it offers below it, and what it failed at."""
    if not report.plugins:
        yield "No plugin is installed"
    width = max((len(plain(one.name)) for one in report.plugins), default=0)
    for one in report.plugins:
        yield f"{_mark(one, ink)} {plain(one.name).ljust(width)}  {_origin(one)}".rstrip()
        yield from (f"    {line}" for line in _below(one, ink))


def _mark(one: PluginReport, ink: Ink) -> str:
    if not one.ok:
        return ink("✗", "red")
    return ink("✓", "green") if one.enabled else ink("○", "dim")


def _origin(one: PluginReport) -> str:
    whence = f"{plain(one.distribution or '')} {plain(one.version or '')}".strip()
    return whence if one.enabled else f"{whence}  disabled"


def _below(one: PluginReport, ink: Ink) -> Iterator[str]:
    kind = max((len(offer.kind) for offer in one.offers), default=0)
    name = max((len(plain(offer.name)) for offer in one.offers), default=0)
    for offer in one.offers:
        words = f"{offer.kind.ljust(kind)}  {plain(offer.name).ljust(name)}"
        yield f"{words}  {ink(plain(offer.summary), 'dim')}".rstrip()
    if one.listens:
        yield "is told of every event"
    if one.reason is not None:
        yield ink(plain(one.reason), "red")
    if one.hint is not None:
        yield f"hint: {plain(one.hint)}"
    if one.loaded is False and one.enabled and one.ok:
        yield ink("not in the daemon yet: `taskmux daemon restart` loads it", "yellow")
    if one.loaded and not one.enabled:
        yield ink("still in the daemon: `taskmux daemon restart` leaves it out", "yellow")
