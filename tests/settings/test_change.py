from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.errors import HostConfigWrong, InvalidToml, TaskmuxError
from taskmux.settings import change


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("api_port", "8766", "api_port = 8766\n"),
        ("auto_inject_agents", "false", "auto_inject_agents = false\n"),
        ("host_resolver", "noop", 'host_resolver = "noop"\n'),
        ("host_resolver", "1", 'host_resolver = "1"\n'),
        ("hook_timeout", "2.5", "hook_timeout = 2.5\n"),
        ("hook_timeout", "5m", 'hook_timeout = "5m"\n'),
        ("proxy_bind", "0.0.0.0", 'proxy_bind = "0.0.0.0"\n'),
        ("ca", "mkcert", 'ca = "mkcert"\n'),
        ("plugins.disabled", "a, b", '[plugins]\ndisabled = ["a", "b"]\n'),
        ("plugins.disabled", "", "[plugins]\ndisabled = []\n"),
        ("tunnel.cloudflare.zone_id", "0123", '[tunnel.cloudflare]\nzone_id = "0123"\n'),
        ("plugin.x.loud", "true", "[plugin.x]\nloud = true\n"),
    ],
)
def test_a_value_from_the_command_line_takes_the_type_of_its_key(
    key: str, value: str, line: str
) -> None:
    assert change("", key, value) == line


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("api_prot", "1", "there is no such key"),
        ("api_port", "many", "must be a whole number, not a string"),
        ("api_port", "70000", "must be from 0 to 65535"),
        ("api_port", "1\nca = 'own'", "must be a whole number, not a string"),
        ("api_port.x", "1", "there is no such key"),
        ("auto_inject_agents", "yes", "must be true or false"),
        ("auto_inject_agents", "1", "must be true or false"),
        ("tunnel", "x", "it is a table"),
        ("tunnel.cloudflare", "x", "it is a table"),
        ("plugins", "x", "it is a table"),
        ("plugins.x", "x", "it is a table"),
        ("plugins.disabled.x", "x", "there is no such key"),
        ("a b", "x", "there is no such key"),
        ("", "x", "there is no such key"),
    ],
)
def test_a_change_that_cannot_be_meant_is_refused(key: str, value: str, why: str) -> None:
    with pytest.raises(HostConfigWrong) as caught:
        change("", key, value)
    assert why in str(caught.value)


def test_a_change_keeps_the_comments() -> None:
    text = "# mine\nca = 'own'  # for now\n\n# ports\napi_port = 1\n"
    assert change(text, "ca", "mkcert") == text.replace("'own'", '"mkcert"')


def test_a_change_can_mend_what_is_wrong_but_leaves_no_other_fault() -> None:
    assert change("api_port = 'x'\n", "api_port", "1") == "api_port = 1\n"
    with pytest.raises(HostConfigWrong):
        change("api_port = 'x'\n", "ca", "own")
    with pytest.raises(HostConfigWrong):
        change("tunnel = 3\n", "tunnel.a.b", "x")
    with pytest.raises(InvalidToml):
        change("api_port = \n", "api_port", "1")


@given(st.text() | st.text(alphabet="[]{}=.\"'#\\\n tunelpgicayort01"))
def test_any_text_is_settings_or_a_named_error(text: str) -> None:
    try:
        assert change(text, "ca", "own")
    except TaskmuxError as error:
        assert error.code in {"E101", "E104"}  # noqa: PT017 (most texts are no TOML)
