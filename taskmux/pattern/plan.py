"""What to look for in a block of lines to find those in which a pattern is found.

A line has a margin, in which nothing counts, and its text. Looked for first is what every
match has in it and is found quickest; a hit that doesn't prove that its line matches only
says where to look again. Where hits are many, the lines that match are looked for as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

_TOKEN = re.compile(
    rb"""
      \\[pPx]\{[^}]*\} | \\x.. | \\[pP]. | \\[0-7]+ | \\.
    | \[ \^? \]? (?: \\. | \[:[^\]]*:\] | [^\]\\] )* \]
    | \( \?P?<\w+> | \( \?[a-zA-Z-]*[:)]
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_BEGIN = b"^"
_SAME = {rb"\A": _BEGIN, rb"\z": b"$"}
"""What means the same in a text that has no newline."""

_BEYOND = re.compile(rb"\\[QC]|\(\?[a-zA-Z]*-")
"""Quotations, single bytes, flags taken back: such a pattern is looked for line by line."""

_FLAGS = re.compile(rb"\(\?[a-zA-Z]+\)")
_REPEATED = {b"*", b"+", b"?", b"{"}
_LITERAL = re.compile(rb"[\w !\"#%&',/:;<=>@`~-]|\\[!-/:-@\[-`{-~]")
_ASCII = re.compile(
    rb"""
      [^.\x80-\xff] | \\[^\x80-\xffBCDPSWpx0-9] | \(\?.*
    | \[ [^^\\[\x80-\xff] [^\\[\x80-\xff]* \]
    """,
    re.VERBOSE,
)
_ENOUGH = 3
"""Letters with which RE2 finds the beginning of a pattern as quickly as a word."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Patterns for a block, in multi-line mode."""

    hit: bytes
    """Is in the text of every line that matches, and perhaps elsewhere."""

    word: bytes
    """The only thing that `hit` matches, but for case; empty if there is more."""

    sure: bool
    """A line with a hit in its text does match."""

    line: bytes | None
    """Matches the lines that match, from end to end. None: there is no such pattern."""

    ascii: bool
    """A hit is of nothing but ASCII, so it does not matter whether the rest is UTF-8."""


def planned(source: bytes, margin: int) -> Plan | None:
    """Return how to find the lines that match `source`; None if only one by one."""
    tokens = [_SAME.get(token, token) for token in _TOKEN.findall(source)]
    if any(map(_BEYOND.match, tokens)):
        return None
    word, behind = _word(tokens), _behind_the_margin(tokens)
    return Plan(
        hit=b"(?m:%s)" % b"".join(word or _unanchored(tokens)),
        word=b"".join(token[-1:] for token in word),
        sure=(not word and _BEGIN not in tokens) or word == tokens,
        line=None if behind is None else b"(?m:^.{%d}(?:%s).*$)" % (margin, behind),
        ascii=bool(word) or all(map(_ASCII.fullmatch, tokens)),
    )


def _word(tokens: Sequence[bytes]) -> list[bytes]:
    """Return the letters of a word that every match has in it, if looking for that is quicker."""
    if any(map(_FLAGS.match, tokens)):
        return []
    words: list[list[bytes]] = [[]]
    for token, depth, following in _placed(tokens):
        if token == b"|" and not depth:
            return []
        if _LITERAL.fullmatch(token) and not depth and following not in _REPEATED:
            words[-1].append(token)
        else:
            words.append([])
    longest = max(words, key=len)
    if len(words) == 1 or len(longest) >= _ENOUGH > len(words[0]):
        return longest
    return []


def _unanchored(tokens: Sequence[bytes]) -> Iterator[bytes]:
    for token, _, following in _placed(tokens):
        if token != _BEGIN:
            yield token
        elif following in _REPEATED:
            yield b"(?:)"


def _behind_the_margin(tokens: Sequence[bytes]) -> bytes | None:
    """Return what may follow the margin: what is anchored there, or anything before the rest."""
    if _BEGIN not in tokens:
        return b".*?(?:%s)" % b"".join(tokens)
    if any(map(_FLAGS.match, tokens)):
        return None  # they may be meant for the branches behind theirs, too
    found = []
    for branch in _branches(tokens):
        first = branch[:1] == [_BEGIN] and not _REPEATED.intersection(branch[1:2])
        if _BEGIN in branch[first:]:
            return None
        found.append((b"(?:%s)" if first else b".*?(?:%s)") % b"".join(branch[first:]))
    return b"|".join(found)


def _branches(tokens: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield what the outermost `|` separate."""
    branch: list[bytes] = []
    for token, depth, _ in _placed(tokens):
        if token == b"|" and not depth:
            yield branch
            branch = []
        else:
            branch.append(token)
    yield branch


def _placed(tokens: Sequence[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield each token with the number of groups it is in, and the token behind it."""
    depth = 0
    for token, following in zip_longest(tokens, tokens[1:], fillvalue=b""):
        depth += token[:1] == b"(" and token[-1:] != b")"
        depth -= token == b")"
        yield token, depth, following
