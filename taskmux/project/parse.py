"""From the text of a taskmux.toml to a `ProjectConfig`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from taskmux.errors import InvalidValue, UnknownKey
from taskmux.lifecycle import Restart
from taskmux.toml import Unknown, Wrong, decode, dotted, line_of
from taskmux.toml.tables import table

from . import rules
from .fields import PROJECT, Type
from .model import Condition, ProjectConfig, TaskConfig


def parse(text: str, path: str) -> ProjectConfig:
    """Return what `text`, the content of `path`, says.

    Raises `InvalidToml`, `UnknownKey`, `InvalidValue`, or what `graph.check`
    raises: nothing else, and soon, whatever the text.
    """
    document = decode(text, path)
    try:
        found = _project(document)
        rules.check(found.tasks)
    except Unknown as wrong:
        line = line_of(text, wrong.keys)
        raise UnknownKey(path, dotted(wrong.keys), line, wrong.known) from None
    except Wrong as wrong:
        line = line_of(text, wrong.keys)
        raise InvalidValue(path, dotted(wrong.keys), line, wrong.why, wrong.hint) from None
    return replace(found, text=text)


def _project(document: dict[str, Any]) -> ProjectConfig:
    fields = table(PROJECT)(document)
    tasks = fields.pop("tasks", {})
    oneshots = {name for name, task in tasks.items() if task.pop("type", None) is Type.ONESHOT}
    read = {name: _task(name, task, oneshots) for name, task in tasks.items()}
    return ProjectConfig(tasks=read, **fields)


def _task(name: str, fields: dict[str, Any], oneshots: Collection[str]) -> TaskConfig:
    oneshot = name in oneshots
    if oneshot:
        fields = {"restart_policy": Restart.NO} | fields
    fields["depends_on"] = {
        other: condition or _ready(other, oneshots)
        for other, condition in fields.get("depends_on", {}).items()
    }
    return TaskConfig(name=name, oneshot=oneshot, **fields)


def _ready(task: str, oneshots: Collection[str]) -> Condition:
    return Condition.COMPLETED if task in oneshots else Condition.HEALTHY
