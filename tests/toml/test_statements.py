from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskmux.errors import InvalidToml
from taskmux.toml import Keys, decode, dotted, line_of, split
from taskmux.toml.statements import statements

TEXT = '''# a file
name = "x" # [no.header]

[tasks.api]  # "quoted
command = """
[tasks.trap]
command = 'no'
"""
depends_on = [  # ]
  "a",  # "
  'b]',
]
[tasks."build:css".hooks]
  before_start = \'\'\'
it''s'\'\'\'
'a.b'."c\\u0064" . e=1
[[list]]
x = { a = "}", b = { c = 1 } }
last = 1979-05-27'''


def test_each_statement_is_found_where_it_stands() -> None:
    found = [(each.line, each.keys) for each in statements(TEXT)]
    assert found == [
        (2, ("name",)),
        (4, ("tasks", "api")),
        (5, ("tasks", "api", "command")),
        (9, ("tasks", "api", "depends_on")),
        (13, ("tasks", "build:css", "hooks")),
        (14, ("tasks", "build:css", "hooks", "before_start")),
        (16, ("tasks", "build:css", "hooks", "a.b", "cd", "e")),
        (17, ("list",)),
        (18, ("list", "x")),
        (19, ("list", "last")),
    ]


def test_a_statement_knows_its_text_and_its_value() -> None:
    found = [TEXT[slice(*each.value)] for each in statements(TEXT) if not each.header]
    assert found[0] == '"x"'
    assert found[1].startswith('"""\n[tasks.trap]')
    assert found[2] == TEXT[TEXT.index("[  # ]") : TEXT.index("]\n[tasks.") + 1]
    assert found[3:5] == ["'''\nit''s''''", "1"]
    assert found[5:] == ['{ a = "}", b = { c = 1 } }', "1979-05-27"]
    whole = "".join(TEXT[each.start : each.end] for each in statements(TEXT))
    assert whole == TEXT.replace("# a file\n", "").replace("header]\n\n", "header]\n")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("name",), 2),
        (("tasks",), 4),
        (("tasks", "api"), 4),
        (("tasks", "api", "command"), 5),
        (("tasks", "api", "missing"), 4),
        (("tasks", "build:css", "hooks", "before_start"), 14),
        (("tasks", "build:css", "missing"), 13),
        (("list", "x", "b", "c"), 18),
        (("tasks", "trap", "command"), 4),
        (("nowhere",), None),
    ],
)  # fmt: skip
def test_a_key_has_the_line_of_what_sets_it_or_of_the_table_around(
    keys: Keys, line: int | None
) -> None:
    assert line_of(TEXT, keys) == line


def test_what_sets_a_key_comes_before_what_is_below_it() -> None:
    assert line_of("[t.a.b]\n[t.a]\n[t]\n", ("t",)) == 3
    assert line_of("[t.a.b]\n[t.a]\n[t]\n", ("t", "a")) == 2


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a", ("a",)),
        ("a.b-c.1", ("a", "b-c", "1")),
        ('tasks."build:css".cwd', ("tasks", "build:css", "cwd")),
        ("a . 'b.c'", ("a", "b.c")),
        ('"a\\"b"', ('a"b',)),
        ("", None),
        (".", None),
        ("a.", None),
        ("a b", None),
        ("a=1", None),
        ('"a', None),
    ],
)
def test_a_dotted_key_is_split_as_toml_does(text: str, keys: Keys | None) -> None:
    assert split(text) == keys


@given(st.lists(st.text(max_size=50), min_size=1).map(tuple))
def test_a_path_written_is_the_path_read(keys: Keys) -> None:
    assert split(dotted(keys)) == keys


def leaves(value: object, above: Keys = (), *, lists: bool = False) -> set[Keys]:
    if isinstance(value, dict):
        inner = [leaves(value[key], (*above, key), lists=lists) for key in value]
    elif isinstance(value, list) and lists:  # of tables, whose keys are its own
        inner = [leaves(item, above, lists=lists) for item in value]
    else:
        inner = []
    return {above}.union(*inner)


PIECES = st.sampled_from(
    ["a", "b", ".", "=", "1", " ", "\n", "[", "]", "{", "}", '"', "'", '"""', "'''", "#", ",", "\\",
     "a = 1\n", "[a]\n", "[b.c]\n", "[[d]]\n", "x = '#'\n", 'y = """\n[z]\n"""\n']
)  # fmt: skip


@example("[[d]]\nx = '#'\n")
@given(st.lists(PIECES).map("".join))
def test_every_text_that_decodes_is_found_whole(text: str) -> None:
    try:
        document: dict[str, Any] = decode(text, "x.toml")
    except InvalidToml:
        list(statements(text))
        return
    found = {each.keys for each in statements(text)}
    assert found <= leaves(document, lists=True)
    for path in leaves(document) - {()}:
        assert line_of(text, path) is not None
