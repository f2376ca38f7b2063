"""What `--help` and `--version` answer, taken from the commands themselves."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from taskmux.wire import PROTOCOL

from .commands import ALIASES, COMMANDS, Command, find
from .examples import EXAMPLES
from .parsing import build
from .reports import CommandHelp, HelpReport, ParameterHelp, VersionReport

if TYPE_CHECKING:
    from typer.core import TyperArgument, TyperOption

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


def describe(name: str) -> HelpReport:
    """Return the help of one command, of all that begin with it, or, without a name, of all."""
    inner = [command for other, command in COMMANDS.items() if other.startswith(f"{name} ")]
    if not name:
        return _report("COMMAND [OPTIONS]", list(COMMANDS.values()))
    if inner and name not in COMMANDS:
        return _report(f"{name} COMMAND [OPTIONS]", inner)
    command = find(name)
    only = _command(command)
    words = ["[OPTIONS]" if only.options else "", *map(_shown, only.arguments)]
    usage = " ".join(["taskmux", command.name, *filter(None, words)])
    return HelpReport(usage=usage, commands=[only], options=EVERYWHERE)


def _report(usage: str, commands: list[Command]) -> HelpReport:
    return HelpReport(
        usage=f"taskmux {usage}",
        commands=[_command(command) for command in commands],
        options=EVERYWHERE,
    )


def _command(command: Command) -> CommandHelp:
    from typer.core import TyperArgument, TyperOption

    parameters = build(command).params
    return CommandHelp(
        name=command.name,
        aliases=[alias for alias, name in ALIASES.items() if name == command.name],
        group=command.group,
        summary=inspect.getdoc(command.load()) or "",
        arguments=[_parameter(one) for one in parameters if isinstance(one, TyperArgument)],
        options=[_parameter(one) for one in parameters if isinstance(one, TyperOption)],
        examples=list(EXAMPLES.get(command.name, ())),
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
