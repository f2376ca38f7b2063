from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.errors import InvalidToml, TaskmuxError, UnknownKey
from taskmux.project import ProjectConfig, parse, resolved
from taskmux.toml.render import render


def read(text: str) -> ProjectConfig:
    return parse(text, "taskmux.toml")


@pytest.mark.parametrize(
    ("text", "key", "line", "hint"),
    [
        ("nmae = 'x'", "nmae", 1, "did you mean 'name'?"),
        ("name = 'x'\n\n[task.api]\ncommand = 'a'", "task", 3, "did you mean 'tasks'?"),
        ("[tasks.api]\ncomand = 'a'", "tasks.api.comand", 2, "did you mean 'command'?"),
        ("[tasks.api]\ncommand = 'a'\n'a b' = 1", 'tasks.api."a b"', 3, None),
        ("[hooks]\nbefor_start = 'x'", "hooks.befor_start", 2, "did you mean 'before_start'?"),
        (
            "[tasks.api]\ncommand = '''\ncomand = 1\n'''\n[tasks.api.hooks]\nafter_strat = 'x'",
            "tasks.api.hooks.after_strat",
            6,
            "did you mean 'after_start'?",
        ),
        ("[tasks]\n# x\napi = { comand = 'a' }", "tasks.api.comand", 3, "did you mean 'command'?"),
        ("\ntasks.api.comand = 'a'", "tasks.api.comand", 2, "did you mean 'command'?"),
        ("[tasks.api]\ncommand = 'a'\nport = 3000", "tasks.api.port", 3, None),
    ],
)
def test_an_unknown_key_is_named_with_its_line(
    text: str, key: str, line: int, hint: str | None
) -> None:
    with pytest.raises(UnknownKey) as caught:
        read(text)
    error = caught.value
    assert error.facts == {"key": key, "line": line}
    assert str(error) == f"unknown key {key} in taskmux.toml, line {line}"
    assert error.hint == hint or (hint is None and str(error.hint).startswith("known here: "))


def test_a_misspelt_command_is_unknown_rather_than_missing() -> None:
    with pytest.raises(UnknownKey):
        read("[tasks.api]\ncomand = 'a'")


def test_a_key_of_a_megabyte_is_refused_without_repeating_it() -> None:
    with pytest.raises(UnknownKey) as caught:
        read(f"{'k' * 400_000} = 1")
    assert len(str(caught.value)) < 200


@given(st.text() | st.text(alphabet="[]{}=.\"'#\\\n tasks.command0"))
def test_any_text_is_a_project_or_a_named_error(text: str) -> None:
    try:
        read(text)
    except TaskmuxError as error:
        json.dumps(error.answer())


KEYS = [
    "command", "name", "tasks", "hooks", "tunnel", "auto_start", "type", "env", "host", "cwd",
    "health_url", "health_interval", "health_options", "depends_on", "log_max_size", "max_restarts",
    "restart_backoff", "restart_policy", "before_start", "ready_log", "public_hostname", "log_file",
]  # fmt: skip
SCALARS = (
    st.text()
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.sampled_from(["api", "@", "*", "no", "oneshot", "completed", "5s", "1MB", "http://a"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=4,
)
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4).map(
    lambda table: {"command": "true"} | table
)
NAMES = st.sampled_from(["api", "web", "a-b", "a_b"]) | st.text(max_size=5)
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), VALUES) | st.builds(
    lambda tasks: {"tasks": tasks}, st.dictionaries(NAMES, TABLES | VALUES, max_size=3)
)


@given(DOCUMENTS)
def test_any_document_is_a_project_or_a_named_error(document: Mapping[str, Any]) -> None:
    text = "".join(f"{render({key: document[key]})[2:-2]}\n" for key in document)
    try:
        found = read(text)
    except InvalidToml:
        raise
    except TaskmuxError as error:
        json.dumps(error.answer())
    else:
        for each in found.tasks.values():
            assert resolved(each) == json.loads(json.dumps(resolved(each), allow_nan=False))
