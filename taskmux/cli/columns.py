"""Which columns of a table fit a terminal, and how wide each may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.text import Text

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading and a cell for every row."""

    title: str
    cells: Sequence[Text]
    rank: int = 0
    """Of those that don't fit, the highest goes first; 0 stays, whatever happens."""

    shortest: int = 0
    """Its cells may be cut to this width to make room; 0 forbids it."""

    right: bool = False

    @property
    def width(self) -> int:
        """Cells of the terminal that its widest cell takes."""
        return max([len(self.title), *(cell.cell_len for cell in self.cells)])

    @property
    def least(self) -> int:
        """The width it can be cut to."""
        return min(self.width, max(self.shortest, len(self.title))) if self.shortest else self.width

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it to show."""
        return not any(cell.plain.strip("—") for cell in self.cells)


def fit(columns: Sequence[Column], width: int) -> list[Column]:
    """Return the columns that fit `width`, cut where they may be; all that must stay."""
    kept = [column for column in columns if column.rank == 0 or not column.empty]
    while sum(column.least + GAP for column in kept) - GAP > width:
        last = max(kept, key=lambda column: column.rank)
        if not last.rank:
            break
        kept.remove(last)
    for column in sorted(kept, key=lambda column: -column.rank):
        excess = sum(column.width + GAP for column in kept) - GAP - width
        if excess > 0:
            kept[kept.index(column)] = _cut(column, max(column.least, column.width - excess))
    return kept


def lines(columns: Sequence[Column]) -> list[Text]:
    """Return the heading and then a line for every row, cells padded to their columns."""
    heading = [Text(column.title, "bold") for column in columns]
    rows = [heading, *map(list, zip(*(column.cells for column in columns), strict=True))]
    return [_line(row, columns) for row in rows]


def _cut(column: Column, width: int) -> Column:
    cells = [cell.copy() for cell in column.cells]
    for cell in cells:
        cell.truncate(width, overflow="ellipsis")
    return replace(column, cells=cells)


def _line(cells: Sequence[Text], columns: Sequence[Column]) -> Text:
    line = Text()
    for cell, column in zip(cells, columns, strict=True):
        space = " " * (column.width - cell.cell_len)
        line.append(space if column.right else "").append_text(cell)
        line.append("" if column.right else space).append(" " * GAP)
    line.rstrip()
    return line
