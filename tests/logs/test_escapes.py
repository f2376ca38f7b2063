from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.logs import clean, coloured

RED, RESET = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("text", "plain", "shown"),
    [
        pytest.param(b"plain", "plain", "plain", id="plain"),
        pytest.param(b"a\tb", "a\tb", "a\tb", id="tab"),
        pytest.param("größer".encode(), "größer", "größer", id="utf-8"),
        pytest.param(b"a\xffb", "a\ufffdb", "a\ufffdb", id="not utf-8"),
        pytest.param("a\u2028b".encode(), "a\u2028b", "a\u2028b", id="line separator"),
        pytest.param(b"\x1b[31mred\x1b[0m", "red", f"{RED}red{RESET}", id="colour"),
        pytest.param(b"\x1b[31mred", "red", f"{RED}red{RESET}", id="colour left open"),
        pytest.param(b"\x1b[31mred\x1b[m", "red", f"{RED}red\x1b[m", id="short reset"),
        pytest.param(b"\x1b[0;1mx", "x", f"\x1b[0;1mx{RESET}", id="reset and bold"),
        pytest.param(b"\x1b[38:2::1:2:3mx", "x", f"\x1b[38:2::1:2:3mx{RESET}", id="colons"),
        pytest.param(b"\x1b[>4;2mx", "x", "x", id="a key mode, no colour"),
        pytest.param(b"\x1b[?25lx\x1b[2K\x1b[1A\x1b[H", "x", "x", id="cursor"),
        pytest.param(b"\x1b[2 q\x1b[!px", "x", "x", id="intermediates"),
        pytest.param(b"\x1b]0;title\x07x", "x", "x", id="title"),
        pytest.param(b"\x1b]52;c;aGk=\x1b\\x", "x", "x", id="clipboard"),
        pytest.param(b"\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\", "link", "link", id="hyperlink"),
        pytest.param(b"\x1bP1$r0m\x1b\\x", "x", "x", id="DCS"),
        pytest.param(b"\x1b_Ga=T;AAAA\x1b\\\x1b^p\x1b\\\x1bXs\x1b\\x", "x", "x", id="APC PM SOS"),
        pytest.param(b"\x1bc\x1b7\x1b(B\x1b=x", "x", "x", id="short escapes"),
        pytest.param("\x9b2Jx\x9d0;t\x9c\x90q\x9cy".encode(), "xy", "xy", id="C1 as UTF-8"),
        pytest.param("\x9b31mx".encode(), "x", "x", id="colour by C1"),
        pytest.param(b"\x9b2Jx", "\ufffd2Jx", "\ufffd2Jx", id="C1 as a byte"),
        pytest.param(b"a\x00\x07\x08\x0b\x0c\x0e\x7fb", "ab", "ab", id="control characters"),
        pytest.param(b"\x1b]0;never ended", "0;never ended", "0;never ended", id="open OSC"),
        pytest.param(b"x\x1b", "x", "x", id="ESC at the end"),
        pytest.param(b"x\x1b[31", "x31", "x31", id="CSI at the end"),
        pytest.param(b"\x1b\x1b]0;t\x07[2Jx", "[2Jx", "[2Jx", id="one in another"),
        pytest.param(b"\x1b[\x1b[2J2Jx", "2Jx", "2Jx", id="one in another, CSI"),
        pytest.param(b"10%\r20%\r30%", "30%", "30%", id="redrawn"),
        pytest.param(b"10%\r20%\r", "20%", "20%", id="redrawn, at the start again"),
        pytest.param(b"20%\r\x1b[K", "20%", "20%", id="redrawn, nothing yet"),
        pytest.param(b"\r\r", "", "", id="nothing drawn"),
        pytest.param(b"\x1b[31m1\r2", "2", f"{RED}2{RESET}", id="redrawn in its colour"),
        pytest.param(b"\x1b[31m1\r\x1b[0m", "1", f"{RED}1{RESET}", id="colour after the redraw"),
    ],
)
def test_what_is_left_of_a_line(text: bytes, plain: str, shown: str) -> None:
    assert clean(text) == plain
    assert coloured(text) == shown


@pytest.mark.parametrize("control", "\u061c\u200e\u200f\u202a\u202e\u2066\u2069")
def test_what_reorders_text_is_written_out_for_people(control: str) -> None:
    assert coloured(f"a{control}b".encode()) == f"a\\u{ord(control):04x}b"
    assert clean(f"a{control}b".encode()) == f"a{control}b"


PIECES = [
    b"\x1b",
    b"[",
    b"]",
    b"P",
    b"\\",
    b"\x07",
    b"3",
    b";",
    b"m",
    b"J",
    b"\r",
    b"\xc2\x9b",
    b"x",
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=3)).map(b"".join))
def test_nothing_that_drives_a_terminal_is_left(text: bytes) -> None:
    control = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
    assert not control.search(clean(text))
    assert not control.search(re.sub(r"\x1b\[[0-9;:]*m", "", coloured(text)))


@given(st.lists(st.lists(st.sampled_from([*PIECES, b"31m", b"\xff"])).map(b"".join)))
def test_lines_may_be_given_together(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    block = b"".join(b"12:00 " + line + b"\n" for line in lines)
    assert clean(block, 6) == "".join(f"12:00 {clean(line)}\n" for line in lines)
    assert coloured(block, 6) == "".join(f"12:00 {coloured(line)}\n" for line in lines)


@pytest.mark.parametrize(
    "bomb",
    [b"\x1b]", b"\x1b[", b"\x1b[1;", b"\xc2\x9d", b"\x1bP\x1b]", b"\r", b"\x1b[31m\r", b"\x1b "],
)
def test_a_bomb_of_escapes_ends(bomb: bytes) -> None:
    text = bomb * (500_000 // len(bomb))
    assert len(clean(text)) <= len(text)
    assert len(coloured(text)) <= len(text) + 10
