from __future__ import annotations

import random
from pathlib import Path

import pytest

from taskmux.errors import BadRequest
from taskmux.logs import Window, read
from taskmux.logs.record import stamp_of
from taskmux.pattern import Pattern

HEAD = "2024-01-01T12:00:0"


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    api, web = tmp_path / "api.log", tmp_path / "web.log"
    (tmp_path / "api.log.1").write_text(
        f"{HEAD}0.000 start\n{HEAD}1.000 error: a\n{HEAD}2.000 one\n{HEAD}3.000 two\n"
    )
    api.write_text(
        f"{HEAD}4.000 three\n{HEAD}5.000 error: b\n{HEAD}6.000 Error: c\n{HEAD}7.000 end\n"
    )
    web.write_text(f"{HEAD}1.500 hello\n{HEAD}4.500 no error\n{HEAD}6.500 bye\n")
    return {"api": api, "web": web}


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(grep="error"), ["error: a", "error: b"]),
        (Window(grep="error", ignore_case=True), ["error: a", "error: b", "Error: c"]),
        (Window(grep="^e.*[ab]$"), ["error: a", "error: b"]),
        (Window(grep="^two|^end"), ["two", "end"]),
        (Window(grep=r"\Aend\z"), ["end"]),
        (Window(grep="2024|12:00|^ "), []),
        (Window(grep="000"), []),
        (Window(grep="error", lines=1), ["error: b"]),
        (Window(grep="error", lines=0), []),
        (Window(grep="error", lines=9), ["error: a", "error: b"]),
        (Window(grep="error: a", context=1), ["start", "error: a", "one"]),
        (Window(grep="rror", context=1),
         ["start", "error: a", "one", "three", "error: b", "Error: c", "end"]),
        (Window(grep="rror", context=2),
         ["start", "error: a", "one", "two", "three", "error: b", "Error: c", "end"]),
        (Window(grep="rror", context=1, lines=1), ["error: b", "Error: c", "end"]),
        (Window(grep="rror", context=99, lines=1),
         ["start", "error: a", "one", "two", "three", "error: b", "Error: c", "end"]),
        (Window(grep="", lines=2), ["Error: c", "end"]),
    ],
)  # fmt: skip
def test_grep_finds_lines_by_their_text(
    sources: dict[str, Path], window: Window, expected: list[str]
) -> None:
    found = read({"api": sources["api"]}, window).lines
    assert [line.text.decode() for line in found] == expected


def test_the_last_matches_of_all_tasks_come_with_context_of_their_own(
    sources: dict[str, Path],
) -> None:
    found = read(sources, Window(grep="error", lines=2, context=1)).lines
    assert [(line.task, line.text) for line in found] == [
        ("web", b"hello"), ("api", b"three"), ("web", b"no error"),
        ("api", b"error: b"), ("api", b"Error: c"), ("web", b"bye"),
    ]  # fmt: skip


@pytest.mark.parametrize("bad", ["(", "[a", r"(a)\1", "(?=a)", "*"])
def test_a_bad_pattern_is_an_error_with_a_reason(sources: dict[str, Path], bad: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(sources, Window(grep=bad))
    assert str(caught.value).startswith(f"{bad!r} is not a pattern: ")
    assert caught.value.code == "E801"


def test_no_pattern_takes_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_bytes(b"".join(stamp_of(n) + b" " + b"a" * 60_000 + b"b\n" for n in range(20)))
    for slow in ("(a+)+$", "(a|a)*c", "(.*)*x", r"^(a+)+$|^x", r"\A(a+)+\z"):
        assert read({"api": path}, Window(grep=slow)).lines == ()


@pytest.mark.parametrize("grep", ["7", "^1", "9$", "1|22", "^1|^22", r"\A1", "é", "x+", "^(5|6)7"])
def test_grep_is_the_same_as_looking_at_every_line(tmp_path: Path, grep: str) -> None:
    path, choose = tmp_path / "api.log", random.Random(3)
    extra = [b"", b"x" * 40_000, "é".encode(), b"\xff\xfe", b" \x1b[31m7\x1b[0m"]
    lines = [
        b"%d" % number + (choose.choice(extra) if choose.random() < 0.05 else b"")
        for number in range(10_000)
    ]
    path.write_bytes(b"".join(stamp_of(n) + b" " + line + b"\n" for n, line in enumerate(lines)))
    wanted = [line for line in lines if Pattern(grep).found_in(line)]
    assert [line.text for line in read({"api": path}, Window(grep=grep)).lines] == wanted
    last = read({"api": path}, Window(grep=grep, lines=7)).lines
    assert [line.text for line in last] == wanted[-7:]
