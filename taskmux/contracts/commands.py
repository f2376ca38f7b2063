"""Commands of a plugin: `taskmux NAME …`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What taskmux lends a plugin's command: the `obj` of its `typer.Context`."""

    settings: Mapping[str, Any]
    """What `PluginContext.settings` would be."""

    environ: Mapping[str, str]
    cwd: Path
    answer: Callable[[Mapping[str, Any], str], None]
    """Answer, once, with facts and with the text that people are shown instead.

    Programs get the facts as one JSON document. With `{"ok": False}` among them the exit status
    is 1; a command that cannot do what it is for raises instead.
    """


Command = tuple[str, Callable[[], Any]]
"""A command's name, and what returns its Typer app."""

Commands = Iterable[Command]
