from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.errors import InvalidToml
from taskmux.toml import LIMIT, decode


def complaint(text: str) -> InvalidToml:
    with pytest.raises(InvalidToml) as caught:
        decode(text, "x.toml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "why", "line", "column"),
    [
        ("a = ", "a value is missing, or a string without quotes", 1, 4),
        ("a = yes", "a value is missing, or a string without quotes", 1, 5),
        ("\na", "a key needs = and a value", 2, 2),
        ("= 1", "a key or a [table] should begin here", 1, 1),
        ("a = 1 b = 2", "the line goes on behind its end", 1, 7),
        ("a = 2024-13-45", "the line goes on behind its end", 1, 9),
        ("a = 1\n\na = 2\nb = 1", "this key has a value already", 3, 6),
        ("a = { b = 1, b = 2 }", "this key has a value already", 1, 19),
        ("[a.b]\n[c]\n[a.b]", "this table is there already", 3, 5),
        ("a = {}\n[a.b]\nc = 1", "this table is there already", 2, 5),
        ("a = [1,\n2", "a ] is missing", 2, 2),
        ("[a\nb = 1", "a ] is missing", 1, 3),
        ("a = { b = 1\n}", "a } is missing, or not on the same line", 1, 12),
        ('a = "x', "a string is not closed", 1, 7),
        ('a = """x\n', "a string is not closed", 1, 9),
        ("a = 'x", "a string is not closed", 1, 7),
        ('a = "x\ny"', "a string is not closed on its line", 1, 7),
        ("a = 'x\ny'", "a string is not closed on its line", 1, 7),
        ('a = "C:\\q"', "a backslash must be doubled, or the string be in single quotes", 1, 10),
        ('a = "\x00"', "a control character may not stand here", 1, 6),
        ("a = 1 # \x01", "a control character may not stand here", 1, 9),
        ("\ufeffa = 1", "it begins with a byte order mark; save it without one", 1, 1),
        ("a = 1\nb = '\udc80'", "it is not UTF-8", 2, 6),
        (f"a = {'1' * 5000}", "a number is far too long", None, None),
        (f"\n{'a.' * 40}b = 1", "it nests too deeply", 2, 1),
        (f"a = {'[' * 100}", "it nests too deeply", 1, 1),
        (f"a = {'{a=' * 100}", "it nests too deeply", 1, 1),
        (f"[{'a.' * 10_000}b]", "it nests too deeply", 1, 1),
        (f"{'a.' * 100_000}b = 1", "it nests too deeply", 1, 1),
        ("#" * (LIMIT + 1), "it is larger than 512 KiB", None, None),
    ],
)
def test_what_is_no_toml_is_explained_with_its_place(
    text: str, why: str, line: int | None, column: int | None
) -> None:
    error = complaint(text)
    assert error.facts == {"path": "x.toml", "line": line, "column": column}
    assert str(error).endswith(f": {why}")
    assert str(error).startswith("x.toml is not valid TOML")


def test_a_text_just_small_enough_is_read() -> None:
    assert decode("a = 1\n" + "#" * (LIMIT - 6), "x.toml") == {"a": 1}


def test_a_text_of_ten_million_characters_is_refused_unread() -> None:
    assert "larger than" in str(complaint("a = 1\n" * 2_000_000))


@given(st.text(alphabet="a.[]{}=\"'#\\\n\t ,1-:TZ\r\x00\x7f\u00e9") | st.text())
def test_no_complaint_speaks_the_language_of_the_decoder(text: str) -> None:
    try:
        decode(text, "x.toml")
    except InvalidToml as error:
        why = str(error).split(": ", 1)[1]
        assert why[0].islower() or why[0] in "]}"
        assert "('" not in why
        assert "\\n" not in why
