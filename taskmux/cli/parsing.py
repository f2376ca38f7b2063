"""Calls a command with what was typed; the parser is imported only if there is something to parse.

A command is a function whose annotations say what may follow it. Typer reads
those, in 60 ms; the most frequent commands have nothing behind them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any

from taskmux.errors import BadRequest

from .commands import Command
from .session import Session

if TYPE_CHECKING:
    from typer.core import TyperCommand

REWORDED = (
    (r"^invalid value for '([^']+)'(?: / '[^']+')*: ", r"\1: "),
    (r"is not a valid (?:int|integer)(?: range)?\b", "is not a whole number"),
    (r"is not a valid float(?: range)?\b", "is not a number"),
    (r"(\S+?)(?:\.0)? is not in the range x>=(\S+?)\.?$", r"\1 is less than \2"),
    (r"(\S+) is not in the range (\S+?)<=x<=(\S+?)\.?$", r"\1 is not from \2 to \3"),
    (
        r"^got unexpected extra arguments?(?:\(s\))? \((.+)\)\.?$",
        r"there is nothing to do with: \1",
    ),
    (r"^missing argument '(.+)'", r"\1 is missing"),
    (r"^option '(.+)' requires an argument", r"\1 needs a value"),
)


def call(command: Command, session: Session, words: Sequence[str]) -> Any:
    """Return what the command does with `words`; raise `BadRequest` if it can't read them."""
    function = command.load()
    if not words and _needs_nothing(function):
        return function(session)
    import typer

    parser = build(command, session)
    try:
        with parser.make_context(f"taskmux {command.name}", list(words)) as context:
            return parser.invoke(context)
    except typer.TyperException as error:
        said, near = reworded(error.format_message())
        raise BadRequest(said, hint=near or f"run `taskmux {command.name} --help`") from None


def build(command: Command, session: Session | None = None) -> TyperCommand:
    """Return the parser of one command. It has no `--help` of its own: that is ours."""
    import typer
    from typer.core import TyperCommand
    from typer.main import get_command

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    # Bound, a function's first parameter is taken; for its help, anything will do.
    bound = MethodType(command.load(), session or command)
    app.command(command.name, add_help_option=False)(bound)
    parser = get_command(app)
    assert isinstance(parser, TyperCommand)
    return parser


def reworded(complaint: str) -> tuple[str, str | None]:
    """Return the parser's complaint in our words, and a hint if it knows what was meant.

    It speaks of types, as Python calls them.
    """
    said = complaint[:1].lower() + complaint[1:]
    for pattern, words in REWORDED:
        said = re.sub(pattern, words, said)
    said, found, near = said.partition(" (Possible options: ")
    return said, f"did you mean {near.removesuffix(')')}?" if found else None


def _needs_nothing(function: Callable[..., Any]) -> bool:
    _, *others = inspect.signature(function).parameters.values()
    return all(other.default is not other.empty for other in others)
