"""The statements of a TOML text, each with its place: what a decoder forgets.

The scan takes time in proportion to the text, whatever is in it. It expects
TOML, and stops without a word where a text ceases to be any: the decoder
complains better.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

Keys = tuple[str, ...]

DEPTH = 32
"""How deep tables, lists and dotted keys may nest. Decoders slow down, or fall, far beyond."""


class TooDeep(ValueError):
    """Something nests deeper than `DEPTH`, at `line`."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True, slots=True)
class Statement:
    """A `[header]`, or a key with its value. Offsets count characters, lines from 1."""

    section: Keys
    """The header it stands under; its own for a header."""

    keys: Keys
    """The whole path: `tasks`, `api`, `command`."""

    header: bool
    line: int
    start: int
    """Where its first line begins, indentation included."""

    value: tuple[int, int]
    """Where the value is, without a comment behind it; empty for a header."""

    end: int
    """Behind its last line break, or the end of the text."""


# Possessive throughout: nothing here ever tries a second way.
_GAP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_PART = re.compile(r"""[ \t]*+([A-Za-z0-9_-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')[ \t]*+""")
_REST_OF_LINE = re.compile(r"[^\n]*+\n?")
_TOKEN = re.compile(
    r'''
      (?P<value> """ (?: [^"\\]++ | \\. | "(?!"") )*+ """ "{0,2}
               | \'\'\' (?: [^']++ | '(?!\'\') )*+ \'\'\' '{0,2}
               | " (?: [^"\\\n]++ | \\[^\n] )*+ "
               | ' [^'\n]*+ '
               | [^"'\#\[\]{}\s]++ )
    | (?P<opened> [\[{] )
    | (?P<closed> [\]}] )
    | (?P<line> \n )
    | (?P<nothing> [^\S\n]++ | \#[^\n]*+ )
    ''',
    re.VERBOSE | re.DOTALL,
)


def statements(text: str) -> Iterator[Statement]:
    """Yield what `text` states, in order; raise `TooDeep` instead of following too far."""
    section: Keys = ()
    place, line, counted = 0, 1, 0
    while (place := _gap(text, place)) < len(text):
        line += text.count("\n", counted, place)
        counted = place
        found = _statement(text, place, section, line)
        if found is None:
            return
        yield found
        section, place = found.section, found.end


def split(dotted: str) -> Keys | None:
    """Return the keys that a dotted key (`tasks."a.b".host`) leads through, None if it is none."""
    found = _keys(dotted, 0)
    return None if found is None or found[1] < len(dotted) else found[0]


def _gap(text: str, place: int) -> int:
    found = _GAP.match(text, place)
    return found.end() if found else place


def _statement(text: str, place: int, section: Keys, line: int) -> Statement | None:
    start = text.rfind("\n", 0, place) + 1
    header = text.startswith("[", place)
    brackets = 0 if not header else 2 if text.startswith("[[", place) else 1
    found = _keys(text, place + brackets)
    if found is None:
        return None
    keys, behind = found
    if len(keys) > DEPTH:
        raise TooDeep(line)
    if header:
        rest = _REST_OF_LINE.match(text, behind)
        end = rest.end() if rest else len(text)
        return Statement(keys, keys, True, line, start, (behind, behind), end)
    if not text.startswith("=", behind):
        return None
    first, last, end = _value(text, behind + 1, line)
    return Statement(section, section + keys, False, line, start, (first, last), end)


def _keys(text: str, place: int) -> tuple[Keys, int] | None:
    keys = []
    while found := _PART.match(text, place):
        keys.append(_unquoted(found[1]))
        place = found.end()
        if not text.startswith(".", place):
            return tuple(keys), place
        place += 1
    return None


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    try:
        return str(tomllib.loads(f"key = {part}")["key"])
    except tomllib.TOMLDecodeError:
        return part


def _value(text: str, place: int, line: int) -> tuple[int, int, int]:
    depth = 0
    first, last = None, place
    while token := _TOKEN.match(text, place):
        place = token.end()
        match token.lastgroup:
            case "line" if depth <= 0:
                break
            case "opened":
                depth += 1
            case "closed":
                depth -= 1
        if depth > DEPTH:
            raise TooDeep(line)
        if token.lastgroup not in {"nothing", "line"}:
            first = token.start() if first is None else first
            last = place
    return last if first is None else first, last, place
