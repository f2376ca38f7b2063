"""The schemas of taskmux.toml and config.toml agree with the parsers they are made for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from taskmux.cli import meanings
from taskmux.cli.fileschemas import FILES, HOOKS, shape
from taskmux.errors import TaskmuxError
from taskmux.lifecycle import Hook
from taskmux.project import parse
from taskmux.project.fields import PROJECT, TASK
from taskmux.settings.read import FIELDS, read
from tests.cli.conftest import Taskmux
from tests.test_docs import PAGES, ROOT, blocks, rows

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def allows(schema: Any, value: Any) -> bool:
    """Return whether `value` fits; understands the words our schemas use, and no others."""
    return all(CHECKS[word](wanted, value, schema) for word, wanted in schema.items())


def is_a(kinds: str | list[str], value: Any) -> bool:
    named = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return "boolean" in named
    return any(isinstance(value, KINDS[name]) for name in named)


def fits_more(wanted: Any, value: Any, schema: Any) -> bool:
    if not isinstance(value, dict):
        return True
    others = [value[key] for key in value if key not in schema.get("properties", {})]
    return not others if wanted is False else all(allows(wanted, one) for one in others)


CHECKS: dict[str, Any] = {
    "$schema": lambda *_: True,
    "title": lambda *_: True,
    "description": lambda *_: True,
    "default": lambda wanted, _, schema: allows(
        {key: schema[key] for key in schema if key != "default"}, wanted
    ),
    "type": lambda wanted, value, _: is_a(wanted, value),
    "enum": lambda wanted, value, _: value in wanted,
    "anyOf": lambda wanted, value, _: any(allows(one, value) for one in wanted),
    "pattern": lambda wanted, value, _: not isinstance(value, str) or re.search(wanted, value),
    "maxLength": lambda wanted, value, _: len(value) <= wanted,
    "minimum": lambda wanted, value, _: value >= wanted,
    "maximum": lambda wanted, value, _: value <= wanted,
    "items": lambda wanted, value, _: all(allows(wanted, one) for one in value),
    "required": lambda wanted, value, _: set(wanted) <= set(value),
    "properties": lambda wanted, value, _: all(
        allows(wanted[key], value[key]) for key in value if key in wanted
    ),
    "propertyNames": lambda wanted, value, _: all(allows(wanted, key) for key in value),
    "additionalProperties": fits_more,
}

RIGHT = [
    "",
    'name = "shop"\nauto_start = false\nhook_timeout = "1m30s"',
    '[hooks]\nbefore_start = "x"\n[tunnel.cloudflare]\nzone_id = "a"\nnested = { a = 1 }',
    '[tasks."build:css"]\ncommand = "x"\nenv = { A = "b", B = 1, C = true, D = 1.5, E = "" }',
    '[tasks.a]\ncommand = "x"\nhost = "@"\n[tasks.b]\ncommand = "x"\nhost = "*"',
    '[tasks.a]\ncommand = "x"\nhost = "a-1"\nhost_path = "/x"\nhealth_url = "http://[::1]:$PORT"',
    '[tasks.a]\ncommand = "x"\nhealth_interval = "50ms"\nhealth_timeout = 1\nhealth_retries = 1',
    '[tasks.a]\ncommand = "x"\nlog_max_size = "1.5 MiB"\nlog_max_files = 0\nlog_file = "~/x.log"',
    '[tasks.a]\ncommand = "x"\nlog_max_size = 1000\nstop_grace_period = 0\nmax_restarts = 0',
    '[tasks.a]\ncommand = "x"\nrestart_policy = "always"\nrestart_backoff = 0\nready_log = "^a|b$"',
    '[tasks.a]\ncommand = "x"\ntype = "oneshot"\n[tasks.b]\ncommand = "x"\ndepends_on = ["a"]',
    '[tasks.a]\ncommand = "x"\n[tasks.b]\ncommand = "x"\ndepends_on = { a = "started" }',
    '[tasks.a]\ncommand = "x"\ntunnel = "noop"\npublic_hostname = "API.example.com"',
    '[tasks.a]\ncommand = "x"\nhealth_probe = "redis"\nhealth_options = { db = 1, tags = ["a"] }',
]

WRONG = [
    'nam = "shop"',
    'name = "Shop_1"',
    'auto_start = "yes"',
    "hook_timeout = 0",
    'hook_timeout = "soon"',
    '[hooks]\nbefore_begin = "x"',
    'tasks = "x"',
    'tasks = { web = "npm run dev" }',
    '[tasks."a b"]\ncommand = "x"',
    '[tasks.a]\ncwd = "x"',
    '[tasks.a]\ncomand = "x"',
    "[tasks.a]\ncommand = 1",
    '[tasks.a]\ncommand = " "',
    '[tasks.a]\ncommand = ["a", "b"]',
    '[tasks.a]\ncommand = "x"\ntype = "service"',
    '[tasks.a]\ncommand = "x"\nhost = "A_b"',
    '[tasks.a]\ncommand = "x"\nhost_path = "x"',
    '[tasks.a]\ncommand = "x"\nhealth_url = "localhost:1"',
    '[tasks.a]\ncommand = "x"\nhealth_expected_status = 99',
    '[tasks.a]\ncommand = "x"\nhealth_expected_status = true',
    '[tasks.a]\ncommand = "x"\nlog_max_size = "10 MP"',
    '[tasks.a]\ncommand = "x"\nlog_max_size = 999',
    '[tasks.a]\ncommand = "x"\nrestart_policy = "never"',
    '[tasks.a]\ncommand = "x"\nrestart_backoff = "2"',
    '[tasks.a]\ncommand = "x"\nmax_restarts = 1.5',
    '[tasks.a]\ncommand = "x"\nenv = { A = ["b"] }',
    '[tasks.a]\ncommand = "x"\nenv = { A-B = "b" }',
    '[tasks.a]\ncommand = "x"\ndepends_on = "b"',
    '[tasks.a]\ncommand = "x"\n[tasks.b]\ncommand = "x"\ndepends_on = { a = "ready" }',
    '[tasks.a]\ncommand = "x"\nhealth_options = 1',
    '[tasks.a]\ncommand = "x"\ntunnel = "a b"',
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_parser_takes_an_editor_takes(text: str) -> None:
    parse(text, "taskmux.toml")
    assert allows(FILES["taskmux.toml"](), tomllib.loads(text))


@pytest.mark.parametrize("text", WRONG)
def test_what_an_editor_underlines_is_wrong(text: str) -> None:
    with pytest.raises(TaskmuxError):
        parse(text, "taskmux.toml")
    assert not allows(FILES["taskmux.toml"](), tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('api_port = 0\nca = "mkcert"\nproxy_bind = "::1"\nhosts_file = "/etc/hosts"', True),
        ('[plugins]\ndisabled = ["a"]\n[plugin.a]\nx = 1\n[tunnel.b]\napi_token = "y"', True),
        ('dns_managed_tld = "Localhost"\nhook_timeout = 1.5\nproxy_enabled = false', True),
        ("api_port = 65536", False),
        ('ca = "theirs"', False),
        ('proxy_bind = "localhost"', False),
        ('hosts_file = "hosts"', False),
        ("[plugins]\nenabled = []", False),
        ("apiport = 1", False),
    ],
)
def test_the_host_config_has_a_schema_too(text: str, right: bool) -> None:
    document = tomllib.loads(text)
    if right:
        read(document)
    else:
        with pytest.raises(TaskmuxError):
            read(document)
    assert allows(FILES["config.toml"](), document) is right


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_the_docs_fit(page: Path) -> None:
    for mark, body in blocks(page, "toml"):
        name = "config.toml" if mark == "host" else "taskmux.toml"
        assert allows(FILES[name](), tomllib.loads(body))


def test_every_key_that_is_read_is_there() -> None:
    project, host = FILES["taskmux.toml"](), FILES["config.toml"]()
    task = project["properties"]["tasks"]["additionalProperties"]
    assert set(project["properties"]) == set(PROJECT)
    assert set(task["properties"]) == set(TASK)
    assert set(host["properties"]) == set(FIELDS)
    assert list(map(str, Hook)) == list(HOOKS)


def test_the_defaults_are_told_and_fit() -> None:
    project = FILES["taskmux.toml"]()
    task = project["properties"]["tasks"]["additionalProperties"]["properties"]
    assert task["stop_grace_period"]["default"] == 5.0
    assert project["properties"]["name"]["default"] == "taskmux"
    for schema in [*task.values(), *FILES["config.toml"]()["properties"].values()]:
        assert "default" not in schema or allows(schema, schema["default"])


def test_a_reader_that_nobody_knows_is_noticed() -> None:
    with pytest.raises(KeyError):
        shape(len)


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("### The project", meanings.OF_PROJECT),
        ("### A task", meanings.OF_TASK),
        ("## config.toml", meanings.OF_SETTINGS),
    ],
)
def test_a_key_means_in_an_editor_what_it_means_in_the_docs(
    heading: str, said: dict[str, str]
) -> None:
    told = {}
    for key, _, meaning in rows(ROOT / "docs" / "configuration.md", heading):
        if not meaning.startswith("not used yet"):
            meaning = meaning.replace(" (not used yet)", "")
            meaning = re.sub(r",? see \[[^\]]*\]\([^)]*\)", "", meaning)
            told[key.strip("`")] = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", meaning)
    assert said == told


def test_a_file_is_asked_for_by_its_name(taskmux: Taskmux) -> None:
    assert taskmux("schema", "--json").document["files"] == ["taskmux.toml", "config.toml"]
    for name in FILES:
        assert taskmux("schema", name, "--json").document == FILES[name]()
    hint = taskmux("schema", "config", "--json").document["hint"]
    assert hint == "did you mean 'config.toml'?"
