from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.logs.cutter import CONTINUES, LINE_LIMIT, Cutter


def lines(*chunks: bytes, limit: int = LINE_LIMIT) -> list[bytes]:
    cutter = Cutter(limit)
    return (b"".join(map(cutter.take, chunks)) + cutter.flush()).split(b"\n")[:-1]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"one\r\ntwo\r\r\n\r\n", [b"one", b"two\r", b""]),
        (b"one\rtwo\n", [b"one\rtwo"]),
        ("a\u2028b\x0bc\x0cd\x85\x1ce\n".encode(), ["a\u2028b\x0bc\x0cd\x85\x1ce".encode()]),
        (b"a\x00\xff\n", [b"a\x00\xff"]),
        (b"\n\n", [b"", b""]),
        (b"no end", [b"no end"]),
        (b"no end\r", [b"no end"]),
        (b"", []),
    ],
)
def test_a_line_ends_at_a_newline_only(output: bytes, expected: list[bytes]) -> None:
    assert lines(output) == expected


TRICKY = st.lists(
    st.sampled_from([b"\n", b"\r", b"\r\n", b"a", "ü".encode(), "\u2028".encode(), b"x" * 9])
)


@given(TRICKY.map(b"".join), st.lists(st.integers(0, 40)))
def test_lines_do_not_depend_on_how_the_output_was_cut(output: bytes, cuts: list[int]) -> None:
    limit = 8
    ends = [*sorted(cut for cut in cuts if cut < len(output)), len(output)]
    starts = [0, *ends[:-1]]
    chunks = [output[start:end] for start, end in zip(starts, ends, strict=True)]
    small = [chunk[i : i + limit] for chunk in chunks for i in range(0, len(chunk), limit)]
    singly = [output[i : i + 1] for i in range(len(output))]
    assert lines(*small, limit=limit) == lines(*singly, limit=limit)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"x" * 8 + b"\n", [b"x" * 8]),
        (b"x" * 8 + b"\r\n", [b"x" * 8]),
        (b"x" * 9 + b"\n", [b"x" * 8 + CONTINUES, b"x"]),
        (b"x" * 8 + b"\r!\n", [b"x" * 8 + CONTINUES, b"\r!"]),
        (b"x" * 17 + b"\n", [b"x" * 8 + CONTINUES, b"x" * 8 + CONTINUES, b"x"]),
        (b"x" * 7 + "ü\n".encode(), [b"x" * 7 + CONTINUES, "ü".encode()]),
        (b"x" * 5 + "😀\n".encode(), [b"x" * 5 + CONTINUES, "😀".encode()]),
        (b"\xbf" * 9 + b"\n", [b"\xbf" * 8 + CONTINUES, b"\xbf"]),
    ],
)
def test_a_long_line_is_split_between_characters_and_says_so(
    output: bytes, expected: list[bytes]
) -> None:
    assert lines(*(output[i : i + 8] for i in range(0, len(output), 8)), limit=8) == expected


def test_the_end_of_a_line_that_was_flushed_makes_no_empty_line() -> None:
    cutter = Cutter()
    assert cutter.take(b"Password: ") == b""
    assert cutter.pending
    assert cutter.flush() == b"Password: \n"
    assert not cutter.pending
    assert cutter.flush() == b""
    assert cutter.take(b"\r\n\nnext\n") == b"\nnext\n"


def test_what_comes_after_a_flush_is_a_line_of_its_own() -> None:
    cutter = Cutter()
    cutter.take(b"10%\r")
    assert cutter.flush() == b"10%\n"
    assert cutter.take(b"20%\n\n") == b"20%\n\n"


def test_after_a_reset_an_empty_line_is_one() -> None:
    cutter = Cutter()
    cutter.take(b"$ ")
    assert cutter.reset() == b"$ \n"
    assert cutter.take(b"\n") == b"\n"


@pytest.mark.parametrize("size", [1024, LINE_LIMIT])
def test_a_line_of_64_mb_is_never_held_as_a_whole(size: int) -> None:
    cutter, chunk, length = Cutter(), b"#" * size, 0
    tracemalloc.start()
    try:
        for _ in range(64 * 1024 * 1024 // size):
            length += cutter.take(chunk).count(b"#")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length + cutter.take(b"\n").count(b"#") == 64 * 1024 * 1024
    assert peak < 16 * LINE_LIMIT


@given(TRICKY.map(b"".join), st.integers(0, 40), st.booleans())
def test_another_cutter_goes_on_where_one_was(output: bytes, cut: int, flushed: bool) -> None:
    first, second, both = Cutter(limit=8), Cutter(limit=8), Cutter(limit=8)
    expected = both.take(output[:cut])
    found = first.take(output[:cut])
    if flushed:
        expected += both.flush()
        found += first.flush()
    pending, begun = first.carry()
    second.take_over(pending, begun=begun)
    expected += both.take(output[cut:]) + both.flush()
    assert found + second.take(output[cut:]) + second.flush() == expected
