"""The help of commands as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from .reports import CommandHelp, HelpReport, ParameterHelp


def manual(report: HelpReport, width: int) -> Iterator[str]:
    """Yield what `--help` says, for a terminal of `width`."""
    yield f"Usage: {report.usage}"
    yield ""
    match report.commands:
        case [only]:
            yield from _command(only, width)
        case commands:
            yield "Run a project's tasks, watch them, and see how they are."
            yield from _groups(commands, width)
    yield from _section("Everywhere", map(_parameter, report.options), width)


def _command(command: CommandHelp, width: int) -> Iterator[str]:
    yield from wrap(command.summary.replace("\n", " "), width)
    if command.aliases:
        yield f"Also called {', '.join(command.aliases)}."
    yield from _section("Arguments", map(_parameter, command.arguments), width)
    yield from _section("Options", map(_parameter, command.options), width)
    if command.examples:
        yield from ("", "Examples:", *(f"  {example}" for example in command.examples))


def _groups(commands: list[CommandHelp], width: int) -> Iterator[str]:
    for group in dict.fromkeys(command.group for command in commands):
        rows = [(_named(one), one.summary) for one in commands if one.group == group]
        yield from _section(group, ((name, text.partition("\n")[0]) for name, text in rows), width)


def _named(command: CommandHelp) -> str:
    return ", ".join([command.name, *command.aliases])


def _section(title: str, rows: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    listed = list(rows)
    if not listed:
        return
    yield ""
    yield f"{title}:"
    indent = max(20, *(len(name) + 2 for name, _ in listed if len(name) <= 24), 0)
    for name, text in listed:
        first, *more = wrap(text, max(width - indent - 4, 30)) or [""]
        if len(name) + 2 > indent:
            yield f"  {name}"
            name = ""
        yield f"  {name.ljust(indent)}{first}".rstrip()
        yield from (" " * (indent + 2) + line for line in more)


def _parameter(parameter: ParameterHelp) -> tuple[str, str]:
    name = ", ".join(parameter.names)
    if parameter.value is not None and name.startswith("-"):
        name += f" {parameter.value}"
    default = parameter.default
    if isinstance(default, float | str):
        return (
            name,
            f"{parameter.help} Default: {default if isinstance(default, str) else f'{default:g}'}.",
        )
    return name, parameter.help
