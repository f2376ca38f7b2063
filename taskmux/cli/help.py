"""What `--help` and `--version` answer, taken from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from taskmux.errors import UnknownCommand
from taskmux.wire import PROTOCOL

from .commands import ALIASES, COMMANDS, Command, find
from .examples import EXAMPLES
from .parsing import build
from .reports import CommandHelp, HelpReport, ParameterHelp, VersionReport
from .session import Session

if TYPE_CHECKING:
    from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

EVERYWHERE = [
    ParameterHelp(names=names, help=text, required=False, repeated=False, value=value, default=None)
    for names, value, text in (
        (["--json"], None, "Answer with one JSON document, whatever happens."),
        (["-C"], "DIR", "Act as if started in DIR."),
        (["--project"], "NAME", "Act on a registered project, wherever you are."),
        (["--version"], None, "Show the version."),
        (["-h", "--help"], None, "Show this, or how one command is used."),
    )
]


def version() -> VersionReport:
    """Return which taskmux this is."""
    return VersionReport(version=installed(), protocol=PROTOCOL)


def installed() -> str:
    """Return the version of the installed package."""
    from importlib.metadata import version  # 20 ms

    return version("taskmux")


def describe(name: str, session: Session) -> HelpReport:
    """Return the help of one command, of all that begin with it, or, without a name, of all."""
    if not name:
        from .foreign import Foreigners

        theirs = [one for command in Foreigners(session).parsers() for one in _foreign(*command)]
        return _report("", [*map(_command, COMMANDS.values()), *theirs])
    inner = [command for other, command in COMMANDS.items() if other.startswith(f"{name} ")]
    if inner and name not in COMMANDS:
        return _report(name, [_command(command) for command in inner])
    try:
        return _report(name, [_command(find(name))])
    except UnknownCommand:
        from .foreign import Foreigners

        first = name.partition(" ")[0]
        found = _foreign(first, Foreigners(session).parser(first))
        return _report(name, [one for one in found if one.name == name] or found)


def _report(name: str, commands: list[CommandHelp]) -> HelpReport:
    match commands:
        case [only]:
            words = ["[OPTIONS]" if only.options else "", *map(_shown, only.arguments)]
            usage = " ".join(["taskmux", only.name, *filter(None, words)])
        case _:
            usage = " ".join(["taskmux", *filter(None, [name]), "COMMAND [OPTIONS]"])
    return HelpReport(usage=usage, commands=commands, options=EVERYWHERE)


def _command(command: Command) -> CommandHelp:
    return _help(
        build(command).params,
        name=command.name,
        aliases=[alias for alias, name in ALIASES.items() if name == command.name],
        group=command.group,
        summary=inspect.getdoc(command.load()) or "",
        examples=list(EXAMPLES.get(command.name, ())),
    )


def _foreign(name: str, parser: TyperCommand | TyperGroup) -> list[CommandHelp]:
    """Return the help of a plugin's command, or of each that it consists of."""
    inner = getattr(parser, "commands", None) or {"": parser}
    return [
        _help(
            [one for one in command.params if "--help" not in one.opts],
            name=f"{name} {word}".strip(),
            aliases=[],
            group="Of plugins",
            summary=inspect.cleandoc(command.help or ""),
            examples=[],
        )
        for word, command in inner.items()
    ]


def _help(parameters: Sequence[Any], **others: Any) -> CommandHelp:
    from typer.core import TyperArgument, TyperOption

    return CommandHelp(
        arguments=[_parameter(one) for one in parameters if isinstance(one, TyperArgument)],
        options=[_parameter(one) for one in parameters if isinstance(one, TyperOption)],
        **others,
    )


def _parameter(parameter: TyperArgument | TyperOption) -> ParameterHelp:
    switch = getattr(parameter, "is_flag", False)
    metavar = parameter.metavar or (parameter.name or "").upper()
    named = parameter.param_type_name == "option"
    return ParameterHelp(
        names=[*parameter.opts, *parameter.secondary_opts] if named else [metavar],
        help=parameter.help or "",
        required=parameter.required,
        repeated=parameter.nargs == -1 or parameter.multiple,
        value=None if switch else metavar,
        default=parameter.default,
    )


def _shown(argument: ParameterHelp) -> str:
    name = argument.names[0] + ("..." if argument.repeated else "")
    return name if argument.required else f"[{name}]"
