"""The plugins that are installed in this environment; nothing of them is imported."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from importlib.metadata import Distribution

GROUP = "taskmux"

OURS = "taskmux"
"""The distribution that comes first: a name that two plugins offer stays with whoever has it."""


class Source(Protocol):
    """Where a plugin comes from; `importlib.metadata.EntryPoint` is one."""

    @property
    def name(self) -> str:
        """What `taskmux plugins` calls it."""

    def load(self) -> Any:
        """Import the plugin, with whatever that raises."""


@dataclass(frozen=True, slots=True)
class Found:
    """One installed plugin; of what distribution, if that is known."""

    name: str
    enabled: bool
    distribution: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for the plugins of a distribution whose entry points cannot be read."""

    name: str
    dist: Distribution
    why: Exception

    def load(self) -> Any:
        """Raise what is wrong with them."""
        error = ImportError(f"its entry_points.txt cannot be read: {self.why}")
        error.add_note(f"install {self.name} again, or tell its author")
        raise error


def sources() -> list[Source]:
    """Return every plugin that is installed, ours first, then by name; never raises."""
    from importlib.metadata import distributions

    # Not `entry_points()`: there, one distribution that is damaged takes all others with it.
    wheels: dict[str, list[Source]] = {}
    for wheel in distributions():
        if points := list(_points(wheel)):
            wheels.setdefault(_name(wheel), points)  # a later one of that name is never imported
    found = [(name, point) for name, points in wheels.items() for point in points]
    found.sort(key=lambda one: (one[0] != OURS, one[1].name))
    return [point for _, point in found]


def found(source: Source, disabled: Collection[str] = ()) -> Found:
    """Return what is known of a plugin without importing it."""
    enabled = source.name not in disabled
    wheel = getattr(source, "dist", None)
    if wheel is None:
        return Found(source.name, enabled)
    return Found(source.name, enabled, _name(wheel), _field(wheel, "Version"))


def names(disabled: Iterable[str] = ()) -> set[str]:
    """Return what all plugins are called, with those `disabled` that may be uninstalled by now."""
    return {source.name for source in sources()} | set(disabled)


def _points(wheel: Distribution) -> Iterator[Source]:
    try:
        points = [point for point in wheel.entry_points if point.group == GROUP]
    except Exception as error:  # noqa: BLE001 (the plugin line: whatever an installer left there)
        if f"[{GROUP}]" in _text(wheel):
            yield Unreadable(_name(wheel), wheel, error)
    else:
        yield from points


def _text(wheel: Distribution) -> str:
    try:
        return wheel.read_text("entry_points.txt") or ""
    except (OSError, ValueError):
        return ""


def _name(wheel: Distribution) -> str:
    return _field(wheel, "Name") or "unknown"


def _field(wheel: Distribution, name: str) -> str | None:
    try:
        metadata = wheel.metadata
    except OSError:  # newer Pythons raise where there is none at all
        return None
    if name in metadata:
        return metadata[name]
    return None
