"""The JSON Schema of every message, made from the types that produce them; of files, too."""

from __future__ import annotations

import inspect

import msgspec

from taskmux import wire
from taskmux.errors import BadRequest, closest

from . import fileschemas, reports
from .reports import SchemaNames, SchemaReport

REPORTS = {
    name: kind
    for module in (wire, reports)
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, wire.Report) and kind is not wire.Report
}
REQUESTS = {kind.__name__: kind for kind in wire.COMMANDS.values()}


def names() -> SchemaNames:
    """Return everything that has a schema."""
    commands = {command: kind.__name__ for command, kind in wire.COMMANDS.items()}
    return SchemaNames(commands=commands, reports=sorted(REPORTS), files=[*fileschemas.FILES])


def find(name: str) -> SchemaReport:
    """Return the schema of a file, a report or request by its name, or of a command's request."""
    if name in fileschemas.FILES:
        return SchemaReport(name=name, document=fileschemas.FILES[name]())
    kind = REPORTS.get(name) or REQUESTS.get(name) or wire.COMMANDS.get(name)
    if kind is None:
        known = [*fileschemas.FILES, *REPORTS, *REQUESTS, *wire.COMMANDS]
        hint = closest(name, known) or "run `taskmux schema` to see what there is"
        raise BadRequest(f"nothing named {name!r} has a schema", hint=hint)
    return SchemaReport(name=kind.__name__, document=msgspec.json.schema(kind))
