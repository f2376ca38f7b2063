from __future__ import annotations

import pytest

from taskmux.cli.argv import Asked, split, wants_json
from taskmux.errors import BadRequest

KNOWN = {"status", "logs", "logs-clean", "config set", "daemon", "daemon stop"}


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("", Asked()),
        ("status", Asked("status")),
        ("--json status", Asked("status")),
        ("status --json", Asked("status")),
        ("-C dir --project shop status", Asked("status", (), "dir", "shop")),
        ("status -C dir --project=shop", Asked("status", (), "dir", "shop")),
        ("status -Cdir", Asked("status", (), "dir")),
        ("-C dir logs -C 3 api", Asked("logs", ("-C", "3", "api"), "dir")),
        ("logs-clean -C dir api", Asked("logs-clean", ("api",), "dir")),
        ("config set a b", Asked("config set", ("a", "b"))),
        ("daemon stop", Asked("daemon stop")),
        ("daemon --port 1", Asked("daemon", ("--port", "1"))),
        ("config --json set", Asked("config set")),
        ("nosuch thing", Asked("nosuch", ("thing",))),
        ("start --help", Asked("start", help=True)),
        ("-h", Asked(help=True)),
        ("--version", Asked(version=True)),
        ("start --version", Asked("start", ("--version",))),
        ("start -- --json -C --project", Asked("start", ("--", "--json", "-C", "--project"))),
        ("logs -g -", Asked("logs", ("-g", "-"))),
    ],
)
def test_a_command_line_is_taken_apart(line: str, asked: Asked) -> None:
    assert split(line.split(), KNOWN) == asked


@pytest.mark.parametrize("line", ["--loud status", "-x", "status --project", "-C"])
def test_what_stands_before_the_command_must_make_sense(line: str) -> None:
    with pytest.raises(BadRequest):
        split(line.split(), KNOWN)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [("status", False), ("--json", True), ("status --json", True), ("start -- --json", False)],
)
def test_json_may_stand_anywhere_before_the_dashes(line: str, wanted: bool) -> None:
    assert wants_json(line.split()) is wanted
