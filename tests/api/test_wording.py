from __future__ import annotations

import pytest

from taskmux.api.wording import complaint


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("Expected `int`, got `str`", "params must be a whole number, not a string"),
        (
            "Expected `bool | int | float | str | array`, got `object` - at `$.fields[...]`",
            "params.fields[…] must be true or false, a whole number, a number, a string"
            " or a list, not an object",
        ),
        (
            "Expected `str`, got `int` - at `key in $.environ`",
            "a key of params.environ must be a string, not a whole number",
        ),
        ("Object missing required field `task`", "params.task is missing"),
        ("Object missing required field `a` - at `$.b[0]`", "params.b[0].a is missing"),
        ("Object contains unknown field `a`b`", "params has no key 'a`b'"),
        ("Object contains unknown field `x` - at `$.y`", "params.y has no key 'x'"),
        ("Number out of range - at `$.timeout`", "params.timeout is too large a number"),
        ("Expected `int` >= 0 - at `$.lines`", "params.lines is not as it should be"),
        ("Something nobody thought of", "params is not as it should be"),
    ],
)
def test_what_is_wrong_is_said_in_terms_of_json(message: str, sentence: str) -> None:
    assert str(complaint(message, ())) == sentence
