"""A pattern that a request asks with."""

from __future__ import annotations

from taskmux.errors import BadRequest

from .pattern import BadPattern, Pattern


def requested(source: str, *, ignore_case: bool = False) -> Pattern:
    """Return the compiled pattern; raise `BadRequest` with the reason why it is none."""
    try:
        return Pattern(source, ignore_case=ignore_case)
    except BadPattern as error:
        hint = "it is an RE2 regular expression: no look-around and no back-references"
        raise BadRequest(f"{source!r} is not a pattern: {error}", hint=hint) from None
