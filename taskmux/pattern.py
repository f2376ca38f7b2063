"""Regular expressions written by users: matched in linear time, so none can hang anything.

The engine is RE2: the syntax people know from grep -E and Python, without
look-around and back-references, which are what makes a pattern slow.
"""

from __future__ import annotations

import re2


class BadPattern(ValueError):
    """Not a regular expression, or one that needs look-around or back-references."""


class Pattern:
    """A compiled pattern, searched for in text that may be bytes of any kind."""

    def __init__(self, source: str, *, ignore_case: bool = False) -> None:
        """Compile `source`; raise `BadPattern` with the reason."""
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not ignore_case
        # Latin-1 keeps bytes that are not UTF-8 searchable, one byte a character.
        options.encoding = re2.Options.Encoding.LATIN1
        try:
            self._compiled = re2.compile(source.encode(), options)
        except re2.error as error:
            raise BadPattern(_why(error)) from None

    def found_in(self, text: bytes) -> bool:
        """Return whether the pattern matches anywhere in `text`."""
        return self._compiled.search(text) is not None


def _why(error: Exception) -> str:
    message = error.args[0] if error.args else str(error)
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
