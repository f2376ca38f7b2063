"""What a task wrote for a terminal, made safe: for JSON without, for people with its colours.

One pass finds every sequence a terminal would act on, from left to right, so
that removing one cannot make another of what stood around it. Each scan stops
at the next control character: the work stays linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

RESET = "\x1b[0m"

_C0 = bytes([*range(9), *range(11, 32), 127])
_NOT_C0 = bytes(set(range(256)) - set(_C0))
_C1 = re.compile(rb"\xc2[\x80-\x9f]")
_SEQUENCE = re.compile(
    r"""
      (?P<colour> \x1b\[ [0-9;:]*+ m )
    | (?: \x1b\[ | \x9b ) [0-?]*+ [ -/]*+ [@-~]                                 # CSI
    | (?: \x1b[\]PX^_] | [\x9d\x90\x98\x9e\x9f] )                               # OSC, DCS, …
      [^\x00-\x08\x0a-\x1f\x7f-\x9f]*+ (?: \x07 | \x1b\\ | \x9c )
    | \x1b [ -/]*+ [0-~]                                                        # ESC and a letter
    | [\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]                    # all but tab, newline and CR
    """,
    re.VERBOSE,
)
_COLOUR = re.compile(r"\x1b\[([0-9;:]*)m")

# They reorder what is shown around them, so a line can read as what it is not.
_BIDI = {code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F))}
_BIDI |= {code: f"\\u{code:04x}" for code in range(0x2066, 0x206A)}


def clean(lines: bytes, margin: int = 0) -> str:
    """Return a line as plain text: no sequences or control characters but tabs.

    Of a line redrawn with carriage returns only the last drawing is left;
    bytes that are not UTF-8 become U+FFFD. Several lines may be given at once; the first
    `margin` bytes of each, which must be harmless, are no part of what is drawn.
    """
    shown = lines.decode(errors="replace")
    if not _controlled(lines):
        return shown
    return _each(_SEQUENCE.sub("", shown), "\r", margin, _redrawn)


def coloured(lines: bytes, margin: int = 0) -> str:
    """Return a line for a terminal: as `clean`, but with its colours, and reset after them.

    Characters that reorder text are written out, as `\\u202e`.
    """
    shown = lines.decode(errors="replace").translate(_BIDI)
    if not _controlled(lines):
        return shown
    shown = _SEQUENCE.sub(lambda found: found["colour"] or "", shown)
    return _each(_each(shown, "\r", margin, _redrawn), "\x1b", margin, _reset)


def _controlled(lines: bytes) -> bool:
    """Return whether there is any control character beside tabs and newlines."""
    # Twenty times quicker than to look for them in text.
    return bool(lines.translate(None, _NOT_C0) or _C1.search(lines))


def _each(lines: str, having: str, margin: int, change: Callable[[str], str]) -> str:
    """Return `lines` with those changed that have `having` in them."""
    if having not in lines:
        return lines
    return "\n".join(
        [
            line[:margin] + change(line[margin:]) if having in line else line
            for line in lines.split("\n")
        ]
    )


def _reset(line: str) -> str:
    colours = _COLOUR.findall(line)
    return line + RESET if colours and colours[-1].strip("0;:") else line


def _redrawn(line: str) -> str:
    """Return `line` as its last drawing that shows anything, in the colours it would have."""
    drawings = line.split("\r")
    last = max((i for i, drawn in enumerate(drawings) if _COLOUR.sub("", drawn)), default=0)
    before = "".join(drawings[:last])
    colours = "".join(colour[0] for colour in _COLOUR.finditer(before))
    return colours + "".join(drawings[last:])
