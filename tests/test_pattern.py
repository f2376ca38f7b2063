from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.pattern import BadPattern, Pattern


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("ready", b"server ready", True),
        ("^ready", b"server ready", False),
        (r"port \d+$", b"on port 3000", True),
        ("Ready", b"ready", False),
        ("(?i)Ready", b"ready", True),
        ("", b"", True),
        ("a|b", b"xbx", True),
        (r"\bok\b", b"not okay", False),
        ("grün", "ist grün".encode(), True),
        ("grü+n", "grüün".encode(), True),
        ("^.$", "ü".encode(), True),
        ("[äö]", "ü".encode(), False),
        ("x", b"\xff\xfe x", True),
        ("a.c", b"a\xffc", True),
        ("a..c", b"a\xffc", False),
        ("É", "é".encode(), False),
        ("(?i)É", "é".encode(), True),
    ],
)
def test_a_pattern_is_found_anywhere_in_the_text(source: str, text: bytes, found: bool) -> None:
    assert Pattern(source).found_in(text) is found


def test_case_can_be_ignored() -> None:
    assert Pattern("ERR", ignore_case=True).found_in(b"an error")
    assert not Pattern("ERR").found_in(b"an error")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("(", "missing )"),
        ("[a", "missing ]"),
        ("*a", "no argument for repetition operator"),
        ("(?=a)", "invalid perl operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("a{5000}", "invalid repetition"),
        ("((a{100}){100}){100}", "invalid repetition"),
        ("x.{900}y", "too large"),
        ("a\ud800", "not utf-8"),
    ],
)
def test_a_bad_pattern_says_why(source: str, why: str) -> None:
    with pytest.raises(BadPattern) as caught:
        Pattern(source)
    assert why in str(caught.value).lower()
    assert str(caught.value)
    assert "b'" not in str(caught.value)


@given(st.text(), st.binary())
def test_any_text_compiles_or_is_a_bad_pattern(source: str, text: bytes) -> None:
    try:
        Pattern(source).found_in(text)
    except BadPattern as bad:
        assert str(bad)  # noqa: PT017 (most compile)


SOURCES = [
    "", "a", "^a", "a$", "^a$", "^a|b", "^(a|b)", "(^a)|b", "^a|^b", "^[a|]b", "a|^b", r"\Aa",
    r"a\z", r"\Qa", r"^\^", "[^a]", "^[^a]", r"\ba", r"a\b", r"\Bb", "a.b", "a\nb", r"\s",
    r"a\s*b", "(?s)a.b", "(?-m)a$", "(?i)B", "(?i)^b", "^", "$", "^$", ".*", "0", "^0", r"\\A",
    "ü", "^.$", "[^é]b", "a{2}", "^a|ab$|^b", "(?i)^A|^B", "^*ab", "^{0}ab", "(^| )b", "aaab*",
    r"\baab\b", "aabb?", ".aab", "aab|b", "ü?aab", "üaab", r"\x61ab", r"[a]\aab", r"[[:^alpha:]]b",
    r"\p{^Greek}b", "(?i)k", r"\pLaab", "aab.a", "ab.", "(?P<it>^a)b", r"\141ab", "\ufffd",
    "^\ufffd", r"a\|b", r"^a\^|^b", "^aab", ".*aab", "a.*aab", "a|", "^|a", "(?i:AAB)b", "aab{0}",
]  # fmt: skip
WORDS = st.sampled_from(
    [b"a", b"b", b"ab", b"aab", b" ", b"0", b"", "üK".encode(), b"\xff", b"\r", b"|", b"^"]
)
LINES = st.lists(st.lists(WORDS, max_size=4).map(b"".join), max_size=8)


@given(st.sampled_from(SOURCES), st.booleans(), LINES, st.sampled_from([1, 40]))
def test_a_block_has_the_lines_that_match_one_by_one(
    source: str, ignore_case: bool, lines: list[bytes], times: int
) -> None:
    pattern, lines = Pattern(source, ignore_case=ignore_case), lines * times
    block = b"".join(b"00:0 " + line + b"\n" for line in lines)
    found = b"".join(block[start:end] for start, end in pattern.lines_in(block, 5))
    assert found == b"".join(b"00:0 " + line + b"\n" for line in lines if pattern.found_in(line))


def test_a_pattern_that_backtracking_would_never_finish_is_quick() -> None:
    assert not Pattern("(a+)+$").found_in(b"a" * 100_000 + b"b")


def test_patterns_of_the_same_text_are_equal() -> None:
    assert Pattern("a") == Pattern("a")
    assert hash(Pattern("a")) == hash(Pattern("a"))
    assert Pattern("a") != Pattern("b")
    assert Pattern("a") != Pattern("a", ignore_case=True)
