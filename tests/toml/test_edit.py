from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taskmux.errors import InvalidToml
from taskmux.toml import Keys, Wrong, decode
from taskmux.toml.edit import add_table, remove, set_value
from taskmux.toml.render import render


@pytest.mark.parametrize(
    ("text", "keys", "value", "result"),
    [
        ("", "a", 1, "a = 1\n"),
        ("a = 1", "a", 2, "a = 2"),
        ("a  =  1  # why\nb=2", "a", "x", 'a  =  "x"  # why\nb=2'),
        ("a = '''\nx\n''' # c\n", "a", True, "a = true # c\n"),
        ("a = [ 1, # c\n 2 ]\n", "a", ["x"], 'a = ["x"]\n'),
        ("a = 1", "b", 2, "a = 1\nb = 2\n"),
        ("a = 1\r\n", "b", 2, "a = 1\r\nb = 2\r\n"),
        ("# c\n", "a", 1, "# c\na = 1\n"),
        ("# c\n\n# d\n[t]\nx = 1\n", "a", 1, "# c\n\na = 1\n\n# d\n[t]\nx = 1\n"),
        ("a = 1\n[t]\nx = 1\n", "b", 2, "a = 1\nb = 2\n[t]\nx = 1\n"),
        ("[t]\n  x = 1 # c\n\n[u]\n", "t.y", 2, "[t]\n  x = 1 # c\n  y = 2\n\n[u]\n"),
        ("[t]\n", "t.y", 2, "[t]\ny = 2\n"),
        ("[t]", "t.y", 2, "[t]\ny = 2\n"),
        ("[t.u]\nx = 1\n", "t.y", 2, "[t.u]\nx = 1\n\n[t]\ny = 2\n"),
        ("a = 1\n", "t.u.x", 1, "a = 1\n\n[t.u]\nx = 1\n"),
        ("t.u.x = 1\nb = 1\n", "t.u.y", 2, "t.u.x = 1\nt.u.y = 2\nb = 1\n"),
        ("[t]\nu.x = 1\n", "t.u.y", 2, "[t]\nu.x = 1\nu.y = 2\n"),
        ("t = { x = 1 } # c\n", "t.x", 2, "t = { x = 2 } # c\n"),
        ("[t.'a b']\n", "t.'a b'.'c d'", {"e f": [1.5, False]},
         "[t.'a b']\n\"c d\" = { \"e f\" = [1.5, false] }\n"),
    ],
)  # fmt: skip
def test_a_value_is_set_in_its_place(text: str, keys: str, value: object, result: str) -> None:
    path = next(iter(keys_of(keys)))
    assert set_value(text, path, value) == result


def keys_of(dotted: str) -> set[Keys]:
    found: Any = decode(f"{dotted} = 0", "")
    path: Keys = ()
    while isinstance(found, dict):
        [(key, found)] = found.items()
        path = (*path, key)
    return {path}


def test_no_value_is_set_inside_what_is_no_table() -> None:
    with pytest.raises(Wrong) as caught:
        set_value("a = 1\n", ("a", "b"), 2)
    assert caught.value.why == "a is not a table"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "[t.new]\nx = 1\n"),
        ("a = 1", "a = 1\n\n[t.new]\nx = 1\n"),
        ("a = 1\n\n\n", "a = 1\n\n\n[t.new]\nx = 1\n"),
        ("[t.a]\nx = 1\n[u]\n", "[t.a]\nx = 1\n\n[t.new]\nx = 1\n\n[u]\n"),
        ("[t.a]\n\n# u\n[u]\n", "[t.a]\n\n[t.new]\nx = 1\n\n# u\n[u]\n"),
        ("[t.a]\n# of a\n\n[u]\n", "[t.a]\n# of a\n\n[t.new]\nx = 1\n\n[u]\n"),
        ("[t.a]\n# of u\n[u]\n", "[t.a]\n\n[t.new]\nx = 1\n\n# of u\n[u]\n"),
        ("[t.a]\r\nx = 1\r\n", "[t.a]\r\nx = 1\r\n\r\n[t.new]\r\nx = 1\r\n"),
        ("t.a.x = 1\nb = 1\n[u]\n", "t.a.x = 1\nb = 1\n\n[t.new]\nx = 1\n\n[u]\n"),
        ("[t.a]\n[u]\n[t.b]\n[v]\n", "[t.a]\n[u]\n[t.b]\n\n[t.new]\nx = 1\n\n[v]\n"),
    ],
)
def test_a_table_is_added_behind_its_kin(text: str, result: str) -> None:
    assert add_table(text, ("t", "new"), {"x": 1, "y": None}) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("[t.a]\nx = 1", ""),
        ("b = 1\n\n[t.a]\nx = 1\n\n\n", "b = 1\n"),
        ("# file\n[t.a]\nx = 1\n", "# file\n"),
        ("# file\n\n# a\n# a\n[t.a]\nx = 1\n", "# file\n"),
        ("b = 1\n# a\n[t.a]\n[u]\n", "b = 1\n[u]\n"),
        ("[u]\n\n# a\n[t.a]\nx = 1\n# a\n\n# free\n\n[v]\n", "[u]\n\n# free\n\n[v]\n"),
        ("[u]\n\n[t.a]\nx = 1\n# v\n[v]\n", "[u]\n\n# v\n[v]\n"),
        ("[t.a]\nx = 1\n\n[t.a.hooks]\ny = 2\n\n[t.b]\n", "[t.b]\n"),
        ("[t.a]\n[u]\n[t.a.hooks]\ny = 2\n[t.b]\n", "[u]\n[t.b]\n"),
        ("[t.ab]\n[t.a]\n[t.'a b']\n", "[t.ab]\n[t.'a b']\n"),
        ("[t]\na = {}\n# b\nb = {}\n", "[t]\n# b\nb = {}\n"),
        ("[t]\n# a\na.x = 1\na.y = 2\nb.x = 3\n", "[t]\nb.x = 3\n"),
        ("t.a.x = 1\nb = 1\nt.a.y = 2\n", "b = 1\n"),
        ("[u]\n[t.a]\nx = 1\n\n[v]\n", "[u]\n\n[v]\n"),
        ("[t]\na.x = 1\n# free\n\nb = 2\n", "[t]\n# free\n\nb = 2\n"),
        ('b = """\n# x"""\n[t.a]\nx = 1\n', 'b = """\n# x"""\n'),
        ('b = """\n\n"""\n[t.a]\nx = 1\n', 'b = """\n\n"""\n'),
        ("[u]\r\n\r\n# a\r\n[t.a]\r\nx = 1\r\n\r\n[v]\r\n", "[u]\r\n\r\n[v]\r\n"),
    ],
)
def test_a_table_is_removed_with_the_comments_that_touch_it(text: str, result: str) -> None:
    assert remove(text, ("t", "a")) == result


def test_a_table_on_one_line_is_edited_there() -> None:
    text = "# c\nt = { a = { x = 1 }, b = {} } # d\n[u]\n"
    added = add_table(text, ("t", "n"), {"x": 1, "y": None})
    removed = remove(text, ("t", "b"))
    changed = set_value(text, ("t", "n", "x"), 2)
    for after in (added, removed, changed):
        assert after.startswith("# c\nt = { a = { x = 1 }")
        assert after.endswith("} # d\n[u]\n")
    assert decode(added, "")["t"] == {"a": {"x": 1}, "b": {}, "n": {"x": 1}}
    assert decode(removed, "")["t"] == {"a": {"x": 1}}
    assert decode(changed, "")["t"] == {"a": {"x": 1}, "b": {}, "n": {"x": 2}}


# Whatever the text: what is meant changes there and nowhere else.

STATEMENTS = st.sampled_from(
    [
        "a = 1", "b = '''\n[t.a]\n\n# x'''", "t.a.x = 1", "t.b.y = [\n 1, # ]\n]", "[t]", "[t.a]",
        "[t.a.hooks]", "[t.b]", "[t.c]", "[u]", "x = 1", "y = 2 # y", "hooks.x = 1", "a = { x=1 }",
        "t = { a = { x = 1 }, b = {} }", "a.x = {}", "# comment", "# other", "", "", "  # indented",
        "  z = 3", "[[l]]", "[t.a.l]", '"a" . x1 = """\n"""',
    ]
)  # fmt: skip
TEXTS = st.builds(
    lambda lines, newline, last: newline.join(lines).replace("\n", newline) + last,
    st.lists(STATEMENTS, max_size=12),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n"]),
)
PATHS = st.sampled_from(
    [("t", "a"), ("t", "c"), ("t", "a", "x"), ("t", "b", "y"), ("a",), ("new",)]
)


def document_of(text: str) -> dict[str, Any]:
    try:
        return decode(text, "x.toml")
    except InvalidToml:
        assume(False)
        raise


def subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)


@given(TEXTS)
def test_removing_removes_that_and_nothing_else(text: str) -> None:
    before = document_of(text)
    after = remove(text, ("t", "a"))
    expected = copy.deepcopy(before)
    table = expected.get("t", {})
    assume(isinstance(table, dict))
    table.pop("a", None)
    found = decode(after, "x.toml")
    assert without_empty(found) == without_empty(expected)
    if "t = {" not in text:
        assert subsequence(after.splitlines(keepends=True), [*text.splitlines(keepends=True)])


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """`t` itself is gone once nothing names it any more."""
    return {key: value for key, value in document.items() if value or key != "t"}


@given(TEXTS)
def test_adding_adds_that_and_nothing_else(text: str) -> None:
    before = document_of(text)
    table = before.get("t", {})
    assume(isinstance(table, dict))
    after = add_table(text, ("t", "new"), {"command": "x"})
    found = decode(after, "x.toml")
    assert found.get("t", {}).pop("new") == {"command": "x"}
    assert without_empty(found) == without_empty(before)
    if "t = {" not in text:
        head, _, tail = after.replace("\r\n", "\n").partition('[t.new]\ncommand = "x"\n')
        plain = text.replace("\r\n", "\n")
        assert plain.startswith(head.rstrip("\n"))
        assert plain.endswith(tail.lstrip("\n"))
        assert (head + tail).replace("\n", "") == plain.replace("\n", "")


@given(TEXTS, PATHS)
def test_setting_sets_that_and_nothing_else(text: str, keys: Keys) -> None:
    before = document_of(text)
    place: Any = before
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        assume(isinstance(place, dict))
    assume(not isinstance(place.get(keys[-1]), dict))
    place[keys[-1]] = "new"
    after = set_value(text, keys, "new")
    assert decode(after, "x.toml") == before


VALUES = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_rendered_is_what_is_read(value: object) -> None:
    text = f"x = {render(value)}"
    assert "\n" not in text
    assert json.dumps(decode(text, "x.toml")["x"]) == json.dumps(value)
