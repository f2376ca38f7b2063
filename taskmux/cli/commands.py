"""Every command: its name, where it is written, and the heading it has in `--help`.

Importing this imports none of them: a command somebody waits for pays only for
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from taskmux.errors import BadRequest, UnknownCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALIASES = {"list": "status", "ls": "status"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command; `function` takes the session, then what was typed."""

    name: str
    group: str
    module: str
    function: str

    def load(self) -> Callable[..., Any]:
        """Import the function. Its docstring is the command's help."""
        function: Callable[..., Any] = getattr(import_module(self.module), self.function)
        return function


def _group(group: str, module: str, *names: str) -> dict[str, Command]:
    place = f"{__package__}.{module}"
    named = {name: name.replace(" ", "_").replace("-", "_") for name in names}
    return {name: Command(name, group, place, function) for name, function in named.items()}


COMMANDS = {
    **_group("Lifecycle", "tasks", "start", "stop", "restart", "kill", "wait"),
    **_group("Info", "tasks", "status", "health", "inspect"),
    **_group("Info", "history", "events"),
    **_group("Info", "project", "graph"),
    **_group("Logs", "history", "logs", "logs-clean"),
    **_group("Config", "project", "add", "remove", "check"),
    **_group("Config", "watching", "watch"),
    **_group("Config", "config", "config show", "config set", "config path"),
    **_group("Config", "schema", "schema"),
    **_group("Config", "plugins", "plugins", "plugins enable", "plugins disable"),
    **_group("Config", "doctor", "doctor"),
    **_group("URLs", "urls", "url"),
    "open": Command("open", "URLs", f"{__package__}.urls", "open_url"),
    **_group("URLs", "aliases", "alias add", "alias list", "alias remove"),
    **_group("URLs", "ca", "ca install", "ca uninstall", "ca status", "ca mint"),
    **_group("Cleanup", "cleaning", "clean", "prune"),
    **_group("Daemon", "daemon", "daemon", "daemon start", "daemon stop", "daemon restart"),
    **_group("Daemon", "daemon", "daemon status", "daemon list"),
    **_group("Daemon", "daemon", "daemon register", "daemon unregister"),
    **_group("Daemon", "service", "daemon install", "daemon uninstall"),
}
"""By name, in the order of `--help`."""

PRIVILEGED = {
    "daemon", "daemon start", "daemon restart", "daemon stop", "daemon status", "daemon list",
    "daemon install", "daemon uninstall", "doctor", "ca install", "ca uninstall", "ca status",
    "ca mint",
}  # fmt: skip
"""What `sudo` may come before: nothing of the user's is touched until they are the user again."""

NAMES = {*COMMANDS, *ALIASES}

GROUPS = {name.partition(" ")[0] for name in COMMANDS if " " in name}
"""The first words of commands of two."""

TAKEN = NAMES | GROUPS | {"help"}
"""What no plugin's command can be called: taskmux's own come first."""


def find(name: str, words: Sequence[str] = ()) -> Command:
    """Return the command `name`, which `words` follow; raise if there is none.

    `config` is none by itself, and `daemon` none with a word behind it.
    """
    inner = [other for other in NAMES if other.startswith(f"{name} ")]
    if inner and words and not words[0].startswith("-"):
        seconds = [other.removeprefix(f"{name} ") for other in inner]
        near = [f"{name} {word}" for word in get_close_matches(words[0], seconds)]
        raise UnknownCommand(f"{name} {words[0]}", near)
    command = COMMANDS.get(ALIASES.get(name, name))
    if command is not None:
        return command
    if inner:
        raise BadRequest(f"{name} needs a command", hint=f"one of: {', '.join(sorted(inner))}")
    raise UnknownCommand(name, NAMES)
