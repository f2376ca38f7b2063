"""What a task wrote for a terminal, made safe: for JSON without, for people with its colours.

One pass finds every sequence a terminal would act on, from left to right, so
that removing one cannot make another of what stood around it. Each scan stops
at the next control character: the work stays linear in the text.
"""

from __future__ import annotations

import re

RESET = "\x1b[0m"

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_SEQUENCE = re.compile(
    r"""
      (?P<colour> \x1b\[ [0-9;:]*+ m )
    | (?: \x1b\[ | \x9b ) [0-?]*+ [ -/]*+ [@-~]                                 # CSI
    | (?: \x1b[\]PX^_] | [\x9d\x90\x98\x9e\x9f] )                               # OSC, DCS, …
      [^\x00-\x08\x0a-\x1f\x7f-\x9f]*+ (?: \x07 | \x1b\\ | \x9c )
    | \x1b [ -/]*+ [0-~]                                                        # ESC and a letter
    | [\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]                                    # all but tab and CR
    """,
    re.VERBOSE,
)
_COLOUR = re.compile(r"\x1b\[([0-9;:]*)m")

# They reorder what is shown around them, so a line can read as what it is not.
_BIDI = {code: f"\\u{code:04x}" for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F))}
_BIDI |= {code: f"\\u{code:04x}" for code in range(0x2066, 0x206A)}


def clean(text: bytes) -> str:
    """Return a line as plain text: no sequences or control characters but tabs.

    Of a line redrawn with carriage returns only the last drawing is left;
    bytes that are not UTF-8 become U+FFFD.
    """
    shown = text.decode(errors="replace")
    if not _CONTROL.search(shown):
        return shown
    return _redrawn(_SEQUENCE.sub("", shown))


def coloured(text: bytes) -> str:
    """Return a line for a terminal: as `clean`, but with its colours, and reset after them.

    Characters that reorder text are written out, as `\\u202e`.
    """
    shown = text.decode(errors="replace").translate(_BIDI)
    if not _CONTROL.search(shown):
        return shown
    line = _redrawn(_SEQUENCE.sub(lambda found: found["colour"] or "", shown))
    colours = _COLOUR.findall(line)
    return line + RESET if colours and colours[-1].strip("0;:") else line


def _redrawn(line: str) -> str:
    """Return `line` as its last drawing that shows anything, in the colours it would have."""
    drawings = line.split("\r")
    last = max((i for i, drawn in enumerate(drawings) if _COLOUR.sub("", drawn)), default=0)
    before = "".join(drawings[:last])
    colours = "".join(colour[0] for colour in _COLOUR.finditer(before))
    return colours + "".join(drawings[last:])
