"""Changes to the text of a taskmux.toml; all that is not changed stays as it was.

Text in, text out. The text must be valid TOML, and is not required to be a
valid taskmux.toml: whoever writes the result parses it first, so that a change
that breaks something (removing a task that others depend on) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskmux.errors import InvalidValue, TaskExists, TaskNotFound
from taskmux.toml import Wrong, decode, dotted, line_of, split
from taskmux.toml.edit import add_table, remove
from taskmux.toml.edit import set_value as set_at

FILE = "taskmux.toml"


def add_task(text: str, name: str, table: Mapping[str, Any]) -> str:
    """Return `text` with `[tasks.NAME]` behind the last task; None in `table` leaves a key out."""
    if name in _tasks(text):
        raise TaskExists(name)
    return add_table(text, ("tasks", name), table)


def remove_task(text: str, name: str) -> str:
    """Return `text` without that task, its hooks, and the comments that touch its table."""
    tasks = _tasks(text)
    if name not in tasks:
        raise TaskNotFound(name, tasks)
    return remove(text, ("tasks", name))


def set_value(text: str, key: str, value: object) -> str:
    """Return `text` with a dotted key set: `tasks.web.host`, `tasks."build:css".cwd`."""
    keys = split(key)
    if keys is None:
        raise InvalidValue(FILE, key, None, "it is not a dotted key")
    try:
        return set_at(text, keys, value)
    except Wrong as wrong:
        line = line_of(text, wrong.keys)
        raise InvalidValue(FILE, dotted(wrong.keys), line, wrong.why, wrong.hint) from None


def _tasks(text: str) -> dict[str, Any]:
    tasks = decode(text, FILE).get("tasks", {})
    return tasks if isinstance(tasks, dict) else {}
