"""The block of lines taskmux keeps in a hosts file, as bytes in and bytes out.

Lines end with a line feed and with nothing else: what Python also takes for an end of line
(a vertical tab, U+2028, a lone carriage return) is none to those who read the file. Whatever
is outside the block may be in any encoding that has ASCII in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

BEGIN = b"# BEGIN taskmux managed"
END = b"# END taskmux managed"
JOINED = b"# the line above had no end of line"
"""Stands in a block whose text had to be given one, which is taken back with the block."""

UTF8 = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
"""What Windows editors put first in a file: byte order marks."""

_MARK = re.compile(rb"^[ \t]*# (BEGIN|END) taskmux managed[ \t\r]*(?:\n|\Z)", re.MULTILINE)


class Unfit(ValueError):
    """Text whose lines cannot be told from ours. `hint` says what to do about it."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


class DamagedBlock(Unfit):
    """The markers do not enclose one block."""

    def __init__(self, why: str) -> None:
        markers = f"`{BEGIN.decode()}` and `{END.decode()}`"
        remedy = f"delete every line {markers} from it, with what is taskmux's between them"
        super().__init__(why, f"{remedy}, then run `sudo taskmux daemon restart`")


class NotText(Unfit):
    """What ASCII lines cannot be put into."""

    def __init__(self, why: str) -> None:
        super().__init__(why, "save it as plain text in UTF-8, then `sudo taskmux daemon restart`")


def replace_block(content: bytes, lines: Sequence[bytes], newline: bytes = b"\n") -> bytes:
    """Return `content` with its block holding exactly `lines`; without lines there is no block.

    Every byte outside the block is as it was, and a block that goes leaves what was there before it
    came. A new one goes to the end. Its lines end as the first one does, or with `newline` where
    there is none. Raises `Unfit` rather than guess.
    """
    if content.startswith(UTF16):
        raise NotText("it is in UTF-16, which is not read where names are looked up")
    if b"\0" in content:
        raise NotText("it has NUL bytes in it")
    mark = UTF8 if content.startswith(UTF8) else b""
    before, after = _around_block(content.removeprefix(mark))
    if not lines:
        return mark + before + after
    end = _end_of_line(before + after) or newline
    joined = bool(before) and not before.endswith(b"\n")
    block = [BEGIN, *([JOINED] if joined else []), *lines, END, b""]
    return mark + before + (end if joined else b"") + end.join(block) + after


def _around_block(text: bytes) -> tuple[bytes, bytes]:
    marks = list(_MARK.finditer(text))
    if fault := _fault(text, marks):
        raise DamagedBlock(fault)
    if not marks:
        return text, b""
    begin, end = marks
    before, after = text[: begin.start()], text[end.end() :]
    if not after and JOINED in map(bytes.strip, text[begin.end() : end.start()].split(b"\n")):
        before = before.removesuffix(b"\r\n" if begin[0].endswith(b"\r\n") else b"\n")
    return before, after


def _fault(text: bytes, marks: Sequence[re.Match[bytes]]) -> str | None:
    """Return what keeps the marks from being one pair."""
    opened: int | None = None
    closed: int | None = None
    for mark in marks:
        number = text.count(b"\n", 0, mark.start()) + 1
        match mark[1], opened, closed:
            case b"BEGIN", None, None:
                opened = number
            case b"BEGIN", None, int():
                return f"line {number} begins taskmux's block again, which ended at line {closed}"
            case b"BEGIN", int(), _:
                return f"line {number} begins taskmux's block, which line {opened} has begun"
            case _, None, _:
                return f"line {number} ends taskmux's block, which no line before it begins"
            case _:
                opened, closed = None, number
    return f"line {opened} begins taskmux's block, and no line ends it" if opened else None


def _end_of_line(text: bytes) -> bytes:
    """Return how the first line of `text` ends; nothing, if none does."""
    first = text.find(b"\n")
    if first < 0:
        return b""
    return b"\r\n" if text[:first].endswith(b"\r") else b"\n"
