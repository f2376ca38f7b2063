"""The figures as a table for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .figure import Figure

HEAD = ("figure", "ours", "bare", "value", "rounds", "limit", "")
RIGHT = {1, 2, 3, 4, 5}
"""Columns of numbers, which stand under each other by their last digit."""


def render(figures: Sequence[Figure]) -> str:
    """Return one line for each figure under a head, the columns aligned."""
    rows = [HEAD, *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    limit = figure.limit
    return (
        figure.subject,
        figure.ours,
        figure.bare,
        _number(figure.value, figure.unit),
        "-".join(map(_plain, figure.spread)) if figure.spread else "",
        f"{limit.bound} {_plain(limit.value)}{_after(figure.unit)}" if limit else "",
        ("OK" if figure.ok else "OVER") if limit else "info",
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(row, widths, strict=True)
    return "  ".join(
        cell.rjust(width) if column in RIGHT else cell.ljust(width)
        for column, (cell, width) in enumerate(cells)
    ).rstrip()


def _number(value: float, unit: str) -> str:
    return f"{value:.2f}{_after(unit)}" if value % 1 else f"{value:.0f}{_after(unit)}"


def _plain(value: float) -> str:
    return f"{value:.3g}"


def _after(unit: str) -> str:
    return f" {unit}" if unit else ""
