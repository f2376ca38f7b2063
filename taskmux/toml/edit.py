"""A change to a TOML text that leaves every other character as it was.

Statements are found by their place, and put in, replaced or cut out there, so
comments, order, spacing and strings of several lines need no preserving. Only
inside a table written on one line does tomlkit do the same, for that line.

A text is taken to be valid TOML; whoever writes the result decodes it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any

from .gaps import blank_before, block_end, block_start, skip_blank, trim_blank
from .places import dotted
from .render import pair, render, render_table
from .statements import Keys, Statement, statements
from .wrong import Wrong

Table = MutableMapping[str, Any]


def set_value(text: str, keys: Keys, value: object) -> str:
    """Return `text` with `keys` set to `value`; raise `Wrong` if they lead through a non-table."""
    found = list(statements(text))
    exact = _last(each for each in found if each.keys == keys and not each.header)
    if exact is not None:
        first, last = exact.value
        return text[:first] + render(value) + text[last:]
    around = _around(found, keys)
    if around is not None:
        return _in_line(text, around, keys, lambda table: _put(table, keys[-1], value))
    beside = _beside(found, keys[:-1])
    if beside is not None:
        return _line_after(text, beside, pair(keys[len(beside.section) :], value))
    if len(keys) > 1:
        return add_table(text, keys[:-1], {keys[-1]: value})
    return _first_line(text, found, pair(keys, value))


def add_table(text: str, keys: Keys, values: Mapping[str, object]) -> str:
    """Return `text` with a new table, behind the last of its kin: `tasks.web` behind `tasks.*`.

    A blank line sets it apart. Where the kin is all on one line, so is the new
    one. None leaves a key out.
    """
    values = {key: value for key, value in values.items() if value is not None}
    found = list(statements(text))
    around = _around(found, keys)
    if around is not None:
        return _in_line(text, around, keys, lambda table: _put(table, keys[-1], values))
    place = _behind(text, found, keys[:-1])
    newline = _newline(text)
    before = text[:place] if text[:place].endswith("\n") or not place else text[:place] + newline
    gap = "" if blank_before(before, len(before)) else newline
    after = text[place:]
    behind = newline if after and skip_blank(after, 0) == 0 else ""
    return before + gap + render_table(keys, values, newline) + behind + after


def remove(text: str, keys: Keys) -> str:
    """Return `text` without `keys` and all below, and without the comments that are theirs.

    Those are: what stands directly above a header or key, unless the file
    begins with it, and directly below the last line of a table, unless the
    next header follows directly.
    """
    found = list(statements(text))
    around = _around(found, keys)
    if around is not None:
        return _in_line(text, around, keys, lambda table: table.pop(keys[-1], None))
    for first, last in reversed(_runs(found, keys)):
        text = _cut(text, found[first - 1].end if first else 0, found[first], found[last])
    return text


def _put(table: Table, key: str, value: object) -> None:
    import tomlkit  # 25 ms, for something rarely asked

    table[key] = tomlkit.value(render(value))


def _in_line(text: str, around: Statement, keys: Keys, change: Callable[[Table], object]) -> str:
    import tomlkit

    line = tomlkit.parse(text[around.start : around.end])
    table: Any = line
    for place in range(len(around.section), len(keys) - 1):
        if keys[place] not in table:
            table[keys[place]] = tomlkit.inline_table()
        table = table[keys[place]]
        if not isinstance(table, MutableMapping):
            raise Wrong(f"{dotted(keys[: place + 1])} is not a table", keys=keys)
    change(table)
    return text[: around.start] + tomlkit.dumps(line) + text[around.end :]


def _around(found: Iterable[Statement], keys: Keys) -> Statement | None:
    """The key, if any, whose value would have to hold `keys`."""
    return _last(
        each
        for each in found
        if not each.header and len(each.keys) < len(keys) and keys[: len(each.keys)] == each.keys
    )


def _beside(found: list[Statement], parent: Keys) -> Statement | None:
    """The statement behind which a key of `parent` may stand."""
    at_home = _last(each for each in found if each.section == parent)
    return at_home or _last(
        each
        for each in found
        if len(each.section) < len(parent) < len(each.keys)
        and each.keys[: len(parent)] == parent
        and not each.header
    )


def _behind(text: str, found: list[Statement], kin: Keys) -> int:
    related = [i for i, each in enumerate(found) if kin and each.keys[: len(kin)] == kin]
    if not related:
        return len(text)
    # Between a header and the next, everything belongs to the first.
    last = related[-1]
    while last + 1 < len(found) and not found[last + 1].header:
        last += 1
    return block_end(text, found[last].end)


def _line_after(text: str, beside: Statement, line: str) -> str:
    newline = _newline(text)
    first = text[beside.start : beside.end]
    indent = "" if beside.header else first[: len(first) - len(first.lstrip(" \t"))]
    before = text[: beside.end]
    joint = "" if before.endswith("\n") else newline
    return before + joint + indent + line + newline + text[beside.end :]


def _first_line(text: str, found: list[Statement], line: str) -> str:
    newline = _newline(text)
    if found:
        place = block_start(text, found[0].start, 0)
        return text[:place] + line + newline + newline + text[place:]
    joint = "" if not text or text.endswith("\n") else newline
    return text + joint + line + newline


def _runs(found: list[Statement], keys: Keys) -> list[tuple[int, int]]:
    """The first and last statement of each stretch that is all below `keys`."""
    runs: list[tuple[int, int]] = []
    for place, each in enumerate(found):
        if each.keys[: len(keys)] != keys:
            continue
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs


def _cut(text: str, floor: int, first: Statement, last: Statement) -> str:
    start = block_start(text, first.start, floor)
    end = block_end(text, last.end) if first.header else last.end
    behind = skip_blank(text, end)
    if behind == len(text):
        return text[: trim_blank(text, start)]
    return text[:start] + text[behind if blank_before(text, start) else end :]


def _last(found: Iterable[Statement]) -> Statement | None:
    all_found = list(found)
    return all_found[-1] if all_found else None


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
