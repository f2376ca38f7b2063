"""Splits a command line into what holds for every command, the command, and its own words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from taskmux.errors import BadRequest

HELP = ("--help", "-h")


@dataclass(frozen=True, slots=True)
class Asked:
    """A command line, taken apart."""

    command: str = ""
    """Its words, `config set`; empty if there is none."""

    words: tuple[str, ...] = ()
    """What is left for the command's own parser."""

    folder: str | None = None
    project: str | None = None
    help: bool = False
    version: bool = False


def wants_json(argv: Sequence[str]) -> bool:
    """Return whether the answer is for a program. Looked for first: errors are answers too."""
    return "--json" in _before_dashes(argv)


def split(argv: Sequence[str], known: Collection[str]) -> Asked:
    """Return what is asked; `known` are the names of all commands, of one word or two.

    Raises `BadRequest` for an option that makes no sense before the command. Of a
    command that isn't known the first word is returned as its name.
    """
    asked, rest = Asked(), [word for word in _before_dashes(argv) if word != "--json"]
    left: list[str] = []
    while rest:
        word = rest.pop(0)
        if (taken := _global(asked, word, rest, left)) is not None:
            asked = taken
        elif word.startswith("-") and word != "-" and not left:
            raise BadRequest(f"no option named {word}")
        else:
            left.append(word)
    count = 2 if " ".join(left[:2]) in known else 1
    words = left[count:] + list(argv[len(_before_dashes(argv)) :])
    return replace(asked, command=" ".join(left[:count]), words=tuple(words))


def _before_dashes(argv: Sequence[str]) -> Sequence[str]:
    return argv[: argv.index("--")] if "--" in argv else argv


def _global(asked: Asked, word: str, rest: list[str], left: list[str]) -> Asked | None:
    """Return `asked` with the option that `word` is, taking its value from `rest`."""
    name, equals, value = word.partition("=")
    if word in HELP:
        return replace(asked, help=True)
    if word == "--version" and not left:
        return replace(asked, version=True)
    if name == "--project":
        return replace(asked, project=value if equals else _value(word, rest))
    # After `logs` it is the context of a match.
    if word.startswith("-C") and left[:1] != ["logs"]:
        return replace(asked, folder=word[2:].removeprefix("=") or _value("-C", rest))
    return None


def _value(option: str, rest: list[str]) -> str:
    if not rest:
        raise BadRequest(f"{option} needs a value")
    return rest.pop(0)
