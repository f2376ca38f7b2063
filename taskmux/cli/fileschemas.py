"""The JSON Schema of taskmux.toml and config.toml, made from the tables their parsers use.

A schema says what an editor can check key by key. What only the parser knows (that a
dependency exists, that two hosts differ, that a pattern compiles) is left to it: whatever
it accepts, the schema accepts.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from taskmux.project import Condition, ProjectConfig, TaskConfig, names, readers
from taskmux.project.fields import PROJECT, TASK
from taskmux.settings import Settings
from taskmux.settings.read import FIELDS
from taskmux.toml import Reader, tables, words

from .meanings import OF_PROJECT, OF_SETTINGS, OF_TASK

Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest that the editors' TOML extensions know."""

TEXT: Schema = {"type": "string", "pattern": r"\S"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LABEL: Schema = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
OFFER: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"}
TASK_NAME: Schema = {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"}
TIME: Schema = {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+$"}
SIZE: Schema = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?([KMGkmg][Ii]?)?[Bb]$"}
FREE: Schema = {"type": "object"}
HOOKS = ("before_start", "after_start", "before_stop", "after_stop")


def project_file() -> Schema:
    """Return the schema of taskmux.toml."""
    return {"$schema": DIALECT, "title": "taskmux.toml"} | _described(
        _table(PROJECT), OF_PROJECT, ProjectConfig
    )


def host_file() -> Schema:
    """Return the schema of config.toml."""
    return {"$schema": DIALECT, "title": "config.toml"} | _described(
        _table(FIELDS), OF_SETTINGS, Settings
    )


FILES: dict[str, Callable[[], Schema]] = {"taskmux.toml": project_file, "config.toml": host_file}


def shape(reader: Reader[Any]) -> Schema:
    """Return the schema of what `reader` accepts; raise `KeyError` for one that isn't known."""
    if reader in PLAIN:
        return PLAIN[reader]
    maker = reader.__qualname__.partition(".")[0]
    return MADE[maker](**inspect.getclosurevars(reader).nonlocals)


def _whole(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _number(low: float, high: float) -> Schema:
    bounds = {"minimum": low, "maximum": high}
    return {"type": "number"} | {key: at for key, at in bounds.items() if math.isfinite(at)}


def _each(read: Reader[Any], check: Callable[[str], object]) -> Schema:
    keys = PLAIN.get(check, {})
    return {"type": "object", "additionalProperties": shape(read)} | (
        {"propertyNames": {"pattern": keys["pattern"]}} if "pattern" in keys else {}
    )


def _table(fields: Mapping[str, Reader[Any]], required: str | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {key: shape(fields[key]) for key in fields},
        "additionalProperties": False,
    } | ({} if required is None else {"required": [required]})


def _tasks() -> Schema:
    one = _described(_table(TASK, "command"), OF_TASK, TaskConfig)
    return {"type": "object", "propertyNames": TASK_NAME, "additionalProperties": one}


def _described(table: Schema, meanings: Mapping[str, str], kind: type) -> Schema:
    """Return `table`, each key with what it means and with its default, if it has one."""
    defaults = {field.name: field.default for field in fields(kind)}
    properties = {}
    for key, schema in table["properties"].items():
        said = {"description": meanings[key]} if key in meanings else {}
        default = defaults.get(key, MISSING)
        known = {} if default is MISSING or default is None else {"default": default}
        properties[key] = schema | said | known
    return table | {"properties": properties}


MADE: dict[str, Callable[..., Schema]] = {
    "whole": _whole,
    "number": _number,
    "duration": lambda low, high: {"anyOf": [_number(low, high), TIME]},
    "size": lambda low, high: {"anyOf": [_whole(low, high), SIZE]},
    "choice": lambda kinds, words: {"enum": words},
    "each": _each,
    "table": _table,
}
"""By the function that makes such readers; called with what that was called with."""

PLAIN: dict[Callable[..., Any], Schema] = {
    words.boolean: {"type": "boolean"},
    words.text: TEXT,
    words.texts: TEXTS,
    words.label: LABEL,
    words.offer: OFFER,
    words.hostname: {"type": "string", "pattern": "^[A-Za-z0-9.-]+$", "maxLength": 253},
    words.address: {"type": "string", "pattern": "^[0-9A-Fa-f.:]+(%.+)?$"},
    tables.free_table: FREE,
    names.task_name: TASK_NAME,
    readers.command: TEXT,
    readers.path: TEXT,
    readers.host: {"anyOf": [{"enum": ["@", "*"]}, LABEL]},
    readers.host_path: {"type": "string", "pattern": "^/"},
    readers.url: {"type": "string", "pattern": "^https?://"},
    readers.pattern: TEXT,
    readers.hooks: {
        "type": "object",
        "properties": dict.fromkeys(HOOKS, TEXT),
        "additionalProperties": False,
    },
    readers.env: {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    },
    readers.depends_on: {
        "anyOf": [
            {"type": "array", "items": {"type": "string"} | TASK_NAME},
            {
                "type": "object",
                "propertyNames": TASK_NAME,
                "additionalProperties": {"enum": list(map(str, Condition))},
            },
        ]
    },
    readers.project_tunnel: FREE,
    FIELDS["hosts_file"]: {"type": "string", "pattern": "^/"},
}
"""By the reader itself."""

PLAIN[PROJECT["tasks"]] = _tasks()
