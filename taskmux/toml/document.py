"""A whole TOML text as plain values, or a sentence that says why it is none."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from taskmux.errors import InvalidToml

from .statements import TooDeep, statements

LIMIT = 512 * 1024
"""Characters a text may have: far more than people write, and still decoded in a second."""

_PLACE = re.compile(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)")

_SENTENCES = {
    "Cannot declare": "this table is there already",
    "Cannot mutate": "this table is complete where it is written, and cannot be added to",
    "Cannot overwrite": "this key has a value already",
    "Duplicate inline table key": "this key has a value already",
    "Escaped character": "this escape stands for no character",
    "Exceeds the limit": "a number is far too long",
    "Expected '='": "a key needs = and a value",
    "Expected ']": "a ] is missing",
    "Expected newline": "the line goes on behind its end",
    "Expected \"'": "a string is not closed",
    "Found invalid character '\\n'": "a string is not closed on its line",
    "Found invalid character": "a control character may not stand here",
    "Illegal character '\\n'": "a string is not closed on its line",
    "Illegal character": "a control character may not stand here",
    "Invalid date": "there is no such date or time",
    "Invalid hex value": "an escape needs hexadecimal digits",
    "Invalid initial character": "a key cannot begin like this",
    "Invalid statement": "a key or a [table] should begin here",
    "Invalid value": "a value is missing, or a string without quotes",
    "Unclosed array": "a ] is missing",
    "Unclosed inline table": "a } is missing, or not on the same line",
    "Unescaped '\\'": "a backslash must be doubled, or the string be in single quotes",
    "Unterminated string": "a string is not closed",
}
"""By how the decoder's complaint begins, ours, for people who don't write decoders."""


def decode(text: str, path: str) -> dict[str, Any]:
    """Return what `text`, the content of `path`, says; raise `InvalidToml` soon, whatever it is."""
    if len(text) > LIMIT:
        raise InvalidToml(path, f"it is larger than {LIMIT // 1024} KiB", None, None)
    if text.startswith("\ufeff"):
        raise InvalidToml(path, "it begins with a byte order mark; save it without one", 1, 1)
    try:
        text.encode()
        for _ in statements(text):
            pass
        return tomllib.loads(text)
    except UnicodeEncodeError as error:
        line, column = _position(text, error.start)
        raise InvalidToml(path, "it is not UTF-8", line, column) from None
    except TooDeep as error:
        raise InvalidToml(path, "it nests too deeply", error.line, 1) from None
    except ValueError as error:
        raise InvalidToml(path, *_explain(str(error), text)) from None


def _explain(complaint: str, text: str) -> tuple[str, int | None, int | None]:
    found = _PLACE.fullmatch(complaint)
    if found is None:
        return _worded(complaint), None, None
    if found[2] is None:
        return (_worded(found[1]), *_position(text, len(text.rstrip())))
    return _worded(found[1]), int(found[2]), int(found[3])


def _worded(complaint: str) -> str:
    for beginning, sentence in _SENTENCES.items():
        if complaint.startswith(beginning):
            return sentence
    return complaint[:1].lower() + complaint[1:]


def _position(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
