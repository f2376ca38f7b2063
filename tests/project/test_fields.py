from __future__ import annotations

import pytest

from taskmux.errors import InvalidValue
from taskmux.lifecycle import Hook, Policy, Restart
from taskmux.project import ProjectConfig, TaskConfig, parse

NO_LABEL = "cannot be part of a host name: only a-z, 0-9 and inner hyphens can"


def read(text: str) -> ProjectConfig:
    return parse(text, "taskmux.toml")


def task(line: str, name: str = "api") -> TaskConfig:
    return read(f'[tasks.{name}]\ncommand = "true"\n{line}\n').tasks[name]


def wrong(text: str) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        read(text)
    assert caught.value.code == "E103"
    return caught.value


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("cwd = '~/x'", "cwd", "~/x"),
        ("host = '*'", "host", "*"),
        ("host = 'a-1'", "host", "a-1"),
        ("host_path = '/v1'", "host_path", "/v1"),
        ("health_url = 'http://localhost:$PORT/x'", "health_url", "http://localhost:$PORT/x"),
        ("health_url = 'https://[::1]:${PORT}'", "health_url", "https://[::1]:${PORT}"),
        ("health_url = 'http://a:b@h?q=1'", "health_url", "http://a:b@h?q=1"),
        ("health_expected_status = 404", "health_expected_status", 404),
        ("health_expected_body = 'id=\"__next\"'", "health_expected_body", 'id="__next"'),
        ("health_probe = 'redis'", "health_probe", "redis"),
        ("health_options = { a = [1, 'x'] }", "health_options", {"a": [1, "x"]}),
        ("health_interval = 0.05", "health_interval", 0.05),
        ("health_interval = '500ms'", "health_interval", 0.5),
        ("health_timeout = '1m'", "health_timeout", 60),
        ("health_retries = 1", "health_retries", 1),
        ("ready_log = 'listening on \\d+'", "ready_log", "listening on \\d+"),
        ("stop_grace_period = 0", "stop_grace_period", 0),
        ("stop_grace_period = 86400", "stop_grace_period", 86400),
        ("restart_policy = 'no'", "restart_policy", Restart.NO),
        ("max_restarts = 0", "max_restarts", 0),
        ("restart_backoff = 0", "restart_backoff", 0),
        ("restart_backoff = 1e200", "restart_backoff", 1e200),
        ("log_file = 'logs/a.log'", "log_file", "logs/a.log"),
        ("log_max_size = '10MB'", "log_max_size", 10_000_000),
        ("log_max_size = '512KB'", "log_max_size", 512_000),
        ("log_max_size = '512 KiB'", "log_max_size", 524_288),
        ("log_max_size = '1.5GiB'", "log_max_size", 1_610_612_736),
        ("log_max_size = '2000B'", "log_max_size", 2000),
        ("log_max_size = 1000", "log_max_size", 1000),
        ("log_max_files = 0", "log_max_files", 0),
        ("tunnel = 'cloudflare'", "tunnel", "cloudflare"),
        ("public_hostname = 'API.example.com'", "public_hostname", "api.example.com"),
        ("hooks = { before_start = 'x' }", "hooks", {Hook.BEFORE_START: "x"}),
        ("hook_timeout = '1m30s'", "hook_timeout", 90),
        ("command = '''\na\nb'''", "command", "a\nb"),
        ("env = {}", "env", {}),
    ],
)
def test_a_value_that_can_be_meant(line: str, key: str, value: object) -> None:
    text = line if key == "command" else f"command = 'true'\n{line}"
    assert getattr(read(f"[tasks.api]\n{text}").tasks["api"], key) == value


def test_environment_values_become_what_toml_writes() -> None:
    line = "env = { A = 'x y', B = '', C = 3, D = 1.50, E = true, F = -0.0, _g1 = inf, H = 0xff }"
    assert task(line).env == {
        "A": "x y", "B": "", "C": "3", "D": "1.5", "E": "true", "F": "-0.0", "_g1": "inf",
        "H": "255",
    }  # fmt: skip


def test_names_of_npm_scripts_are_names_of_tasks() -> None:
    text = '[tasks."build:css"]\ncommand = "a"\n[tasks."v1.2_x"]\ncommand = "b"\n'
    assert list(read(text).tasks) == ["build:css", "v1.2_x"]


def test_what_lifecycle_needs_follows_from_the_table() -> None:
    found = read(
        'hooks.after_stop = "x"\n[tasks.db]\ncommand = "a"\n[tasks.api]\ncommand = "b"\n'
        'depends_on = ["db"]\nrestart_policy = "always"\nmax_restarts = 2\nrestart_backoff = 3\n'
        'health_retries = 4\nstop_grace_period = 6\nhooks.before_start = "y"\n'
    )
    assert found.policy(found.tasks["api"]) == Policy(
        depends_on=("db",),
        oneshot=False,
        restart=Restart.ALWAYS,
        max_restarts=2,
        backoff=3,
        health_retries=4,
        grace=6,
        hooks=frozenset({Hook.BEFORE_START, Hook.AFTER_STOP}),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("auto_start = 1", "it must be true or false, not a number"),
        ("auto_start = 'yes'", "it must be true or false, not a string"),
        ("type = 'onshot'", "'onshot' is not \"oneshot\""),
        ("cwd = ''", "it is empty"),
        ("cwd = 3", "it must be a string, not a number"),
        ('cwd = "a\\u0000"', "it holds a NUL character, which no program can be given"),
        ("cwd = '~bob/x'", "'~bob/x' begins with the home of another user"),
        ("env = 'A=b'", "it must be a table, not a string"),
        ("env = ['A']", "it must be a table, not a list"),
        ("env = { 'a-b' = 'x' }", "'a-b' cannot name an environment variable"),
        ("env = { A = 2024-01-01 }", "it must be a string, not a date or time"),
        ("env = { A = ['x'] }", "it must be a string, not a list"),
        ('env = { A = "\\u0000" }', "it holds a NUL character, which no program can be given"),
        (f"env = {{ A = 0x{'f' * 5000} }}", f"it must be from {-(2**63)} to {2**63 - 1}"),
        ("host = 'API'", f"'API' {NO_LABEL}"),
        ("host = 'a.b'", f"'a.b' {NO_LABEL}"),
        ("host = '-a'", f"'-a' {NO_LABEL}"),
        ("host = ['a']", "it must be a string, not a list"),
        ("host = '*'\ntunnel = 'x'", 'host = "*" stands for many names, and a tunnel needs one'),
        ("host_path = 'v1'", "'v1' does not begin with /"),
        ("health_url = 'localhost:80'", "'localhost:80' is not an http or https URL"),
        ("health_url = 'ftp://a'", "'ftp://a' is not an http or https URL"),
        ("health_url = 'http://'", "'http://' is not an http or https URL"),
        ("health_url = 'http://a:$PORTS'", "'http://a:$PORTS' is not an http or https URL"),
        ("health_url = 'http://a b'", "'http://a b' is not an http or https URL"),
        ("health_check = ['a', 'b']", "it must be a string, not a list"),
        ("health_expected_status = 99", "it must be from 100 to 599"),
        ("health_expected_status = 600", "it must be from 100 to 599"),
        ("health_expected_status = '200'", "it must be a whole number, not a string"),
        ("health_expected_status = true", "it must be a whole number, not true"),
        ("health_expected_body = '('", "'(' is not a regular expression: missing ): ("),
        ("ready_log = '['", "'[' is not a regular expression: missing ]: ["),
        ("health_probe = 'a b'", "'a b' cannot be the name of anything a plugin offers"),
        ("health_options = 3", "it must be a table, not a number"),
        ("health_options = { a = nan }", "it must be finite"),
        ("health_options = { a = 10:00:00 }", "it is a date or time"),
        ("health_interval = 0.04", "it must be from 0.05 to 86400"),
        ("health_interval = 86401", "it must be from 0.05 to 86400"),
        ("health_interval = '10'", "'10' is not a time"),
        ("health_interval = inf", "it must be finite"),
        ("health_interval = nan", "it must be finite"),
        ("health_interval = true", "it must be a number, not true"),
        (f"health_interval = '{'9' * 60}d'", "it must be from 0.05 to 86400"),
        ("health_timeout = 0", "it must be from 0.05 to 86400"),
        ("health_timeout = -1", "it must be from 0.05 to 86400"),
        ("health_retries = 0", "it must be from 1 to 1000000"),
        ("stop_grace_period = -1", "it must be from 0 to 86400"),
        ("restart_policy = 'on_failure'", '\'on_failure\' is not "no" or "on-failure" or "always"'),
        ("restart_policy = false", "it must be a string, not false"),
        ("max_restarts = -1", "it must be from 0 to 1000000"),
        ("max_restarts = 1.0", "it must be a whole number, not a number"),
        ("restart_backoff = -1", "it must be at least 0"),
        ("restart_backoff = inf", "it must be finite"),
        ("restart_backoff = nan", "it must be finite"),
        (f"restart_backoff = 0x{'f' * 5000}", "it must be finite"),
        ("restart_backoff = '2s'", "it must be a number, not a string"),
        ("log_max_size = '10 bananas'", "'10 bananas' is not a size"),
        ("log_max_size = '10'", "'10' is not a size"),
        ("log_max_size = 999", "it must be from 1000 to 1000000000000"),
        ("log_max_size = '0.5KB'", "it must be from 1000 to 1000000000000"),
        ("log_max_size = '1001GB'", "it must be from 1000 to 1000000000000"),
        ("log_max_size = 1e6", "it must be a whole number, not a number"),
        ("log_max_files = -1", "it must be from 0 to 1000"),
        ("depends_on = 'db'", "it must be a list of strings, not a string"),
        ("depends_on = [1]", "it must be a string, not a number"),
        ("depends_on = ['a/b']", "'a/b' cannot name a task"),
        ("depends_on.db = 'ready'", "'ready' is not \"started\" or \"healthy\" or \"completed\""),
        ("depends_on = { db = true }", "it must be a string, not true"),
        ("tunnel = ''", "it is empty"),
        ("public_hostname = 'https://a.b'", "'https://a.b' is not a host name"),
        ("public_hostname = '*.a.b'", "'*.a.b' is not a host name"),
        (f"public_hostname = '{'a.' * 130}b'", f"'{'a.' * 30}…' is not a host name"),
        ("hooks = 'x'", "it must be a table, not a string"),
        ("hooks = { before_start = ' ' }", "it is empty"),
        ("hook_timeout = 0", "it must be from 0.05 to 86400"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_meant(line: str, why: str) -> None:
    error = wrong(f"[tasks.api]\ncommand = 'true'\n{line}")
    key = error.facts["key"]
    assert isinstance(key, str)
    assert key.startswith(f"tasks.api.{line.splitlines()[-1].split(' =')[0]}")
    assert str(error).endswith(f" is wrong: {why}")
    assert error.facts["line"] == 2 + len(line.splitlines())


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("name = 'My Shop'", "name", "'My Shop' cannot be part of a host name"),
        ("name = ''", "name", "it is empty"),
        (f"name = '{'a' * 64}'", "name", "cannot be part of a host name"),
        ("auto_daemon = 0", "auto_daemon", "true or false"),
        ("tasks = []", "tasks", "it must be a table, not a list"),
        ("[[tasks]]", "tasks", "it must be a table, not a list"),
        ("[tasks.api]", "tasks.api.command", "it is missing"),
        ("tasks.api = 'npm start'", "tasks.api", "it must be a table, not a string"),
        ("tasks.api.command = ''", "tasks.api.command", "it is empty"),
        ('tasks.api.command = "a\\u0000b"', "tasks.api.command", "NUL"),
        ("tasks.api.command = ['a']", "tasks.api.command", "not a list"),
        ("[tasks.'../x']\ncommand = 'a'", 'tasks."../x"', "cannot name a task"),
        ("[tasks.'.x']\ncommand = 'a'", 'tasks.".x"', "cannot name a task"),
        ("[tasks.'']\ncommand = 'a'", 'tasks.""', "cannot name a task"),
        ("[tasks.'a b']\ncommand = 'a'", 'tasks."a b"', "cannot name a task"),
        ("[tasks.-x]\ncommand = 'a'", "tasks.-x", "cannot name a task"),
        (f"[tasks.{'x' * 65}]\ncommand = 'a'", f'tasks."{"x" * 60}…"', "cannot name a task"),
        ('[tasks."a\\u001b"]\ncommand = "a"', 'tasks."a\\u001b"', r"'a\x1b' cannot name a task"),
        ("tunnel.cloudflare = 1", "tunnel.cloudflare", "it must be a table"),
        ("tunnel.cloudflare.a.api_token = 'x'", "tunnel.cloudflare.a.api_token", "a secret"),
    ],
)
def test_a_file_that_cannot_be_meant(text: str, key: str, why: str) -> None:
    error = wrong(text)
    assert (error.facts["key"], error.facts["line"]) == (key, 1)
    assert why in str(error)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("name = 'My Shop!'", "write 'my-shop'"),
        ("name = '***'", None),
        ("tasks.api = 'npm start'", "write { command = 'npm start' }"),
        ("[tasks.api]", "add command = …"),
        ("tasks.api = { command = 'a', depends_on = 'db' }", "write ['db']"),
        ("tasks.api = { command = 'a', cwd = 3 }", "put it in quotes"),
        ("tasks.api = { command = 'a', type = 'one-shot' }", "did you mean 'oneshot'?"),
        ("tasks.api = { command = 'a', health_interval = 'x' }", 'write 10, "500ms" or "1m30s"'),
    ],
)  # fmt: skip
def test_the_hint_says_what_to_write(text: str, hint: str | None) -> None:
    assert wrong(text).hint == hint


@pytest.mark.parametrize("name", ["api_token", "API_TOKEN", "client_secret", "password", "api_key"])
def test_secrets_have_no_place_in_a_shared_file(name: str) -> None:
    error = wrong(f"[tunnel.cloudflare]\nzone_id = 'z'\n{name} = 'cf-123'")
    assert error.facts["line"] == 3
    assert "cf-123" not in f"{error} {error.hint}"
    assert "~/.taskmux/config.toml" in str(error.hint)
