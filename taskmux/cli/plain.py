"""Text from outside, made harmless before a person sees it; and the little colour we add."""

from __future__ import annotations

from collections.abc import Callable

Ink = Callable[[str, str], str]
"""Colours a text, or leaves it: `ink("✓", "green")`."""

RESET = "\x1b[0m"

COLOURS = {"green": 32, "yellow": 33, "red": 31, "cyan": 36, "magenta": 35, "blue": 34, "dim": 2}


def plain(text: str) -> str:
    """Return `text` with whatever could drive a terminal written out: `\\x1b`, `\\u202e`."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def paint(text: str, colour: str) -> str:
    """Return `text`, which must be harmless, in a colour."""
    return f"\x1b[{COLOURS[colour]}m{text}{RESET}"


def span(seconds: float) -> str:
    """Return a duration in at most two units: `850ms`, `4.2s`, `3m 12s`, `2d 4h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for size, unit, below, smaller in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size}{unit}" + (f" {rest}{smaller}" if rest else "")
    return f"{whole}s"


def size(count: int) -> str:
    """Return a number of bytes with three digits or so: `812 B`, `84 MB`, `1.2 GB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            break
        value /= 1000
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"
