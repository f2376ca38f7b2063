"""Calls a command with what was typed; the parser is imported only if there is something to parse.

A command is a function whose annotations say what may follow it. Typer reads
those, in 60 ms; the most frequent commands have nothing behind them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import MethodType
from typing import TYPE_CHECKING, Any

from taskmux.errors import BadRequest

from .commands import Command
from .session import Session

if TYPE_CHECKING:
    from typer.core import TyperCommand


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
        complaint = error.format_message()
        hint = f"run `taskmux {command.name} --help`"
        raise BadRequest(complaint[:1].lower() + complaint[1:], hint=hint) from None


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


def _needs_nothing(function: Callable[..., Any]) -> bool:
    _, *others = inspect.signature(function).parameters.values()
    return all(other.default is not other.empty for other in others)
