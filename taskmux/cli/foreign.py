"""Commands that plugins bring: `taskmux NAME …` where taskmux has no such command itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from taskmux import paths
from taskmux.contracts import CommandContext
from taskmux.encoding import encode
from taskmux.errors import BadRequest, TaskmuxError, UnknownCommand

from .answers import Foreign
from .commands import NAMES, TAKEN
from .parsing import reworded
from .plugins import installed
from .session import Session

if TYPE_CHECKING:
    from typer.core import TyperCommand, TyperGroup

    from taskmux.plugins import Plugins

KIND = "command"
"""What `Plugins` calls such an offer."""


COMPLETION = {"install_completion", "show_completion"}


class Foreigners:
    """The commands of all plugins that are installed, found when they are asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def _plugins(self) -> Plugins:
        return installed(self._session)

    def names(self) -> list[str]:
        """Return what they are called; never what taskmux has itself."""
        return sorted(self._plugins.commands.keys() - TAKEN)

    def parser(self, name: str) -> TyperCommand | TyperGroup:
        """Return the parser of a command; raise `UnknownCommand`, or `PluginFailed`."""
        from taskmux.plugins import called

        if name not in self._plugins.commands:
            raise UnknownCommand(name, {*NAMES, *self._plugins.commands})
        make = self._plugins.commands[name]
        return called(
            self._plugins.whose(KIND, name), f"make its command {name}", partial(_built, make)
        )

    def parsers(self) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
        """Yield all that can be made; what cannot is told by `taskmux plugins`, and by its use."""
        for name in self.names():
            try:
                yield name, self.parser(name)
            except TaskmuxError:
                continue

    def run(self, name: str, words: Sequence[str]) -> Foreign | int:
        """Return what the command answers; or its exit status, if it answered nothing.

        What it prints goes to stderr: stdout is for the answer.
        """
        import typer

        from taskmux.plugins import failure

        parser, plugin = self.parser(name), self._plugins.whose(KIND, name)
        _check_words(parser, name, words)
        answers: list[Foreign] = []
        lent = self._lent(plugin, answers.append)
        try:
            with (
                redirect_stdout(sys.stderr),
                parser.make_context(name, list(words), obj=lent) as context,
            ):
                parser.invoke(context)
        except typer.Exit as ended:
            return answers[0] if answers and not ended.exit_code else ended.exit_code
        except typer.TyperException as error:
            said, near = reworded(error.format_message())
            raise BadRequest(said, hint=near or f"run `taskmux {name} --help`") from None
        except (TaskmuxError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise failure(plugin, f"run its command {name}", error) from error
        return answers[0] if answers else Foreign({"ok": True}, "")

    def _lent(self, plugin: str, take: Callable[[Foreign], None]) -> CommandContext:
        from taskmux.settings import lend, load

        def answer(facts: Mapping[str, Any], text: str) -> None:
            whole = {"ok": True} | dict(facts)
            take(Foreign(msgspec.json.decode(encode(whole), type=dict[str, Any]), text))

        settings = load(paths.host_config(self._session.home))
        return CommandContext(
            settings=lend(settings, plugin),
            environ=self._session.environ,
            cwd=self._session.cwd,
            answer=answer,
        )


def _built(make: Callable[[], Any]) -> TyperCommand | TyperGroup:
    from typer.core import TyperCommand, TyperGroup
    from typer.main import get_command

    parser = get_command(make())
    assert isinstance(parser, TyperCommand | TyperGroup)
    # Typer's own completion would be for a program called like the command.
    parser.params = [one for one in parser.params if one.name not in COMPLETION]
    return parser


def _check_words(parser: TyperCommand | TyperGroup, name: str, words: Sequence[str]) -> None:
    inner = sorted(getattr(parser, "commands", ()))
    if inner and not words:
        raise BadRequest(f"{name} needs a command", hint=f"one of: {', '.join(inner)}")
    if inner and not words[0].startswith("-") and words[0] not in inner:
        raise UnknownCommand(f"{name} {words[0]}", [f"{name} {one}" for one in inner])
