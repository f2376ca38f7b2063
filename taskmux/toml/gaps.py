"""What lies between statements: comments, which belong to what they touch, and blank lines.

Places are offsets at the beginning of a line, or the end of the text.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(r"[ \t]*+#[^\n]*+(?:\n|\Z)")
_BLANK = re.compile(r"[ \t]*+\r?+\n|[ \t\r]++\Z")


def block_start(text: str, place: int, floor: int) -> int:
    """Return where the comment lines directly above `place` begin, but not those above `floor`.

    A comment that the text begins with speaks of the whole, and is left alone.
    """
    start = place
    while start > floor and _COMMENT.fullmatch(text, above := _line_above(text, start), start):
        start = above
    return start if start > 0 else place


def block_end(text: str, place: int) -> int:
    """Return where the comment lines directly below `place` end: at a blank line, or the end.

    If something else follows directly the comments are its own, and `place` is returned.
    """
    end = place
    while found := _COMMENT.match(text, end):
        end = found.end()
    return end if end == len(text) or _BLANK.match(text, end) else place


def blank_before(text: str, place: int) -> bool:
    """Return whether there is a blank line, or nothing at all, above `place`."""
    return place == 0 or _BLANK.fullmatch(text, _line_above(text, place), place) is not None


def skip_blank(text: str, place: int) -> int:
    """Return where the blank lines that begin at `place` end."""
    while found := _BLANK.match(text, place):
        place = found.end()
    return place


def trim_blank(text: str, place: int) -> int:
    """Return where the blank lines that end at `place` begin."""
    while place > 0 and blank_before(text, place):
        place = _line_above(text, place)
    return place


def _line_above(text: str, place: int) -> int:
    return text.rfind("\n", 0, place - 1) + 1 if place else 0
