"""Readers of the values that only a taskmux.toml has."""

from __future__ import annotations

import re
from typing import Any

from taskmux.lifecycle import Hook
from taskmux.toml.numbers import whole
from taskmux.toml.tables import each, free_table, table
from taskmux.toml.words import choice, label, secret, text, texts
from taskmux.toml.wrong import Wrong, inside, kind, shown

from .model import Condition
from .names import task_name

_URL = re.compile(
    r"https?://([^\s/@]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?([/?#]\S*)?"
)
_PORT = re.compile(r"\$(PORT\b|\{PORT\})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def command(value: Any) -> str:
    """Read a shell command."""
    if isinstance(value, list):
        raise Wrong("it must be a string, not a list", "write it as you would in a shell")
    return text(value)


def path(value: Any) -> str:
    """Read the path of a file or folder, which may begin with `~/`."""
    found = text(value)
    if found.startswith("~") and found != "~" and not found.startswith("~/"):
        raise Wrong(f"{shown(found)} begins with the home of another user", "write it out")
    return found


def host(value: Any) -> str:
    """Read what stands before the project's name in a URL, or one of the two wildcards."""
    return value if value in ("@", "*") else label(value)


def host_path(value: Any) -> str:
    """Read the path of a URL."""
    found = text(value)
    if not found.startswith("/"):
        raise Wrong(f"{shown(found)} does not begin with /")
    return found


def url(value: Any) -> str:
    """Read an http or https URL, in which `$PORT` may stand for the task's own port."""
    found = text(value)
    if not _URL.fullmatch(_PORT.sub("1", found)):
        why = f"{shown(found)} is not an http or https URL"
        raise Wrong(why, "write it like 'http://localhost:$PORT/health'")
    return found


def pattern(value: Any) -> str:
    """Read a regular expression that compiles."""
    from taskmux.pattern import BadPattern, Pattern  # 5 ms, and few files have one

    found = text(value)
    try:
        Pattern(found)
    except BadPattern as bad:
        why = f"{shown(found)} is not a regular expression: {bad}"
        raise Wrong(why, "look-around and back-references do not exist here") from None
    return found


def hooks(value: Any) -> dict[Hook, str]:
    """Read a table of hooks."""
    found = table({str(hook): command for hook in Hook})(value)
    return {Hook(name): found[name] for name in found}


def env(value: Any) -> dict[str, str]:
    """Read environment variables; numbers and truth values become what TOML writes."""
    return each(_variable, _variable_name)(value)


def depends_on(value: Any) -> dict[str, Condition | None]:
    """Read a list of tasks, or a table of tasks and conditions; None stands for *ready*."""
    if isinstance(value, dict):
        return {**each(choice(Condition), task_name)(value)}
    return {task_name(name): None for name in texts(value)}


def project_tunnel(value: Any) -> dict[str, Any]:
    """Read what the project overrides for a tunnel backend: anything but secrets."""
    found = free_table(value)
    for key, item in found.items():
        with inside(key):
            if secret(key):
                hint = "put it into ~/.taskmux/config.toml, or name a variable in api_token_env"
                raise Wrong("a secret has no place in a file that is shared", hint)
            if isinstance(item, dict):
                project_tunnel(item)
    return found


def _variable(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(whole(-(2**63), 2**63 - 1)(value))
        case float():
            return repr(value)
        case str():
            return text(value, empty=True)
        case _:
            raise Wrong(f"it must be a string, not {kind(value)}", "put it in quotes")


def _variable_name(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise Wrong(f"{shown(name)} cannot name an environment variable")
