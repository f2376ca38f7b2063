from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taskmux_resolver_hosts.block import BEGIN, END, JOINED, DamagedBlock, NotText, replace_block

LINES = [b"127.0.0.1\tapi.localhost", b"::1\tapi.localhost"]
BLOCK = b"\n".join([BEGIN, *LINES, END, b""])
CRLF = BLOCK.replace(b"\n", b"\r\n")
OLD = b"\n".join([BEGIN, b"127.0.0.1\told.localhost", END, b""])
ADDED = BLOCK.replace(BEGIN + b"\n", BEGIN + b"\n" + JOINED + b"\n")
ADDED_CRLF = ADDED.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", BLOCK, id="empty file"),
        pytest.param(b"a\n", b"a\n" + BLOCK, id="a file of the user's"),
        pytest.param(b"a", b"a\n" + ADDED, id="no final newline"),
        pytest.param(b"a\n" + OLD + b"b\n", b"a\n" + BLOCK + b"b\n", id="in its old place"),
        pytest.param(b"a\n" + OLD + b"b", b"a\n" + BLOCK + b"b", id="nothing after b"),
        pytest.param(b"a\n" + BLOCK, b"a\n" + BLOCK, id="already there"),
        pytest.param(b"a\n" + ADDED, b"a\n" + ADDED, id="already there, behind no newline"),
        pytest.param(b"a\n" + ADDED + b"b\n", b"a\n" + BLOCK + b"b\n", id="followed since then"),
        pytest.param(b"a\r\n", b"a\r\n" + CRLF, id="windows"),
        pytest.param(b"a\r\nb\n", b"a\r\nb\n" + CRLF, id="as the first line"),
        pytest.param(b"a\nb\r\n", b"a\nb\r\n" + BLOCK, id="as the first line, the other way"),
        pytest.param(b"a\r\nb", b"a\r\nb\r\n" + ADDED_CRLF, id="windows, no final newline"),
        pytest.param(b"a\r", b"a\r\n" + ADDED, id="a carriage return is no end of a line"),
        pytest.param(b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfa\n" + BLOCK, id="UTF-8 mark"),
        pytest.param(b"\xef\xbb\xbf" + OLD, b"\xef\xbb\xbf" + BLOCK, id="UTF-8 mark, then ours"),
        pytest.param(b"# caf\xe9\n", b"# caf\xe9\n" + BLOCK, id="latin 1"),
        pytest.param(OLD[:-1], BLOCK, id="an editor took the last newline"),
        pytest.param(OLD.replace(END, b"  " + END + b" \t"), BLOCK, id="an editor put blanks"),
    ],
)  # fmt: skip
def test_the_block_is_put_into_what_is_there(content: bytes, expected: bytes) -> None:
    assert replace_block(content, LINES) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"a\n" + OLD + b"b\n", b"a\nb\n", id="between lines"),
        pytest.param(b"a\n" + OLD, b"a\n", id="at the end"),
        pytest.param(OLD, b"", id="all there is"),
        pytest.param(b"a\n" + ADDED, b"a", id="what had no newline has none"),
        pytest.param(b"a\n" + ADDED + b"b\n", b"a\nb\n", id="what was followed keeps it"),
        pytest.param(b"a\r\n" + ADDED, b"a\r", id="only the newline that was added"),
        pytest.param(b"a", b"a", id="no block"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_without_lines_there_is_no_block(content: bytes, expected: bytes) -> None:
    assert replace_block(content, []) == expected


def test_a_file_without_lines_gets_those_of_its_system() -> None:
    assert replace_block(b"", LINES, b"\r\n") == CRLF
    assert replace_block(b"a\n", LINES, b"\r\n") == b"a\n" + BLOCK
    assert replace_block(b"\n", LINES, b"\r\n") == b"\n" + BLOCK


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a\n" + BEGIN + b"\n", "line 2 begins taskmux's block, and no line ends it"),
        (END, "line 1 ends taskmux's block, which no line before it begins"),
        (b"\n" + END, "line 2 ends taskmux's block, which no line before it begins"),
        (END + b"\n" + BEGIN, "line 1 ends taskmux's block, which no line before it begins"),
        (OLD + b"x\n" + OLD, "line 5 begins taskmux's block again, which ended at line 3"),
        (BEGIN + b"\n" + OLD, "line 2 begins taskmux's block, which line 1 has begun"),
        (OLD + END, "line 4 ends taskmux's block, which no line before it begins"),
        (b"a\x0b" + OLD, "line 3 ends taskmux's block, which no line before it begins"),
        (b"a\r" + OLD, "line 3 ends taskmux's block, which no line before it begins"),
        ("a\u2028".encode() + OLD, "line 3 ends taskmux's block, which no line before it begins"),
        (b"\xef\xbb\xbf" + END, "line 1 ends taskmux's block, which no line before it begins"),
    ],
)
@pytest.mark.parametrize("lines", [LINES, []], ids=["names", "none"])
def test_broken_markers_are_refused_with_what_to_do(
    content: bytes, why: str, lines: list[bytes]
) -> None:
    with pytest.raises(DamagedBlock) as raised:
        replace_block(content, lines)
    assert str(raised.value) == why
    assert "delete every line" in raised.value.hint


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"\xff\xfea\0\n\0", "in UTF-16", id="UTF-16"),
        pytest.param(b"\xfe\xff\x30\x42", "in UTF-16", id="UTF-16 the other way, no zeros"),
        pytest.param(b"a\0\n\0", "NUL bytes", id="UTF-16 without a mark"),
        pytest.param(b"a\0\n", "NUL bytes", id="a NUL byte"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(NotText, match=why) as raised:
        replace_block(content, LINES)
    assert "UTF-8" in raised.value.hint


ODD = [b"\n", b"\r\n", b"\r", b"\x0b", b"\x0c", "\u2028".encode(), "\u0085".encode(), b"\xff", b"#"]
texts = st.lists(st.sampled_from(ODD) | st.binary(max_size=8)).map(b"".join)
users = texts.filter(
    lambda text: b"\0" not in text and not text.startswith((b"\xff\xfe", b"\xfe\xff"))
)
lines = st.lists(st.sampled_from(LINES), min_size=1)


@given(users, lines)
def test_a_block_that_came_and_went_leaves_the_file_as_it_was(
    text: bytes, some: list[bytes]
) -> None:
    with_it = replace_block(text, some)
    assert with_it.startswith(text)
    assert replace_block(with_it, some) == with_it
    assert replace_block(replace_block(with_it, LINES), []) == text


@given(users, users, lines)
def test_what_stands_around_a_block_is_as_it_was(
    before: bytes, after: bytes, some: list[bytes]
) -> None:
    head = before + b"\n"
    replaced = replace_block(head + OLD + after, some)
    assert replaced.startswith(head)
    assert replaced.endswith(after)
    assert replace_block(replaced, []) == replace_block(head + OLD + after, []) == head + after
