from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from taskmux.errors import HostConfigWrong, InvalidToml
from taskmux.settings import Authority, Settings, load, write

SECRET = '[tunnel.cloudflare]\napi_token = "cf-123"\nzone_id = "z"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(path: Path, text: str) -> Settings:
    path.write_text(text)
    path.chmod(0o600)
    return load(path)


def test_every_key_is_read(path: Path) -> None:
    found = read(
        path,
        """
        health_check_interval = "1m"
        api_port = 8766
        auto_inject_agents = false
        host_resolver = "dns_server"
        dns_server_port = 5455
        dns_managed_tld = "test"
        dns_install = false
        proxy_enabled = false
        proxy_https_port = 8443
        proxy_bind = "::1"
        proxy_http_redirect_port = 0
        hosts_file = "/tmp/hosts"
        ca = "mkcert"
        hook_timeout = 5
        [tunnel.cloudflare]
        account_id = "abc"
        [plugins]
        disabled = ["sparkles", "noise"]
        [plugin.sparkles]
        amount = 3
        """,
    )
    assert found == Settings(
        health_check_interval=60,
        api_port=8766,
        auto_inject_agents=False,
        host_resolver="dns_server",
        dns_server_port=5455,
        dns_managed_tld="test",
        dns_install=False,
        proxy_enabled=False,
        proxy_https_port=8443,
        proxy_bind="::1",
        proxy_http_redirect_port=0,
        hosts_file="/tmp/hosts",
        ca=Authority.MKCERT,
        hook_timeout=5,
        tunnel={"cloudflare": {"account_id": "abc"}},
        plugin={"sparkles": {"amount": 3}},
        disabled_plugins=("sparkles", "noise"),
        given=found.given,
    )
    assert len(found.given) == 17
    assert {("api_port",), ("tunnel", "cloudflare", "account_id")} <= found.given


@pytest.mark.parametrize(
    ("text", "key", "why", "hint"),
    [
        ("api_prot = 1", "api_prot", "there is no such key", "did you mean 'api_port'?"),
        ("[plugins]\ndisable = []", "plugins.disable", "no such key", "did you mean 'disabled'?"),
        ("zzz = 1", "zzz", "there is no such key", "known here: api_port, auto_inject_agents"),
        ("api_port = '8765'", "api_port", "must be a whole number, not a string", None),
        ("api_port = 65536", "api_port", "must be from 0 to 65535", None),
        ("api_port = true", "api_port", "must be a whole number, not true", None),
        ("auto_inject_agents = 1", "auto_inject_agents", "must be true or false", None),
        ("host_resolver = 'a b'", "host_resolver", "cannot be the name", None),
        ("dns_managed_tld = '.x'", "dns_managed_tld", "is not a host name", "write it like"),
        ("proxy_bind = 'lan'", "proxy_bind", "is not an IP address", "write '127.0.0.1'"),
        ("proxy_bind = 'localhost'", "proxy_bind", "is not an IP address", "write '127.0.0.1'"),
        ("proxy_https_port = 65536", "proxy_https_port", "must be from 0 to 65535", None),
        ("proxy_http_redirect_port = -1", "proxy_http_redirect_port", "from 0 to 65535", None),
        ("proxy_enabled = 'no'", "proxy_enabled", "must be true or false", None),
        ("hosts_file = 'hosts'", "hosts_file", "is not an absolute path", None),
        ("ca = 'mkcrt'", "ca", 'is not "own" or "mkcert"', "did you mean 'mkcert'?"),
        ("hook_timeout = 0", "hook_timeout", "must be from 0.05 to 86400", None),
        ("health_check_interval = inf", "health_check_interval", "must be finite", None),
        ("tunnel = 'cloudflare'", "tunnel", "must be a table, not a string", None),
        ("[tunnel]\ncloudflare = 1", "tunnel.cloudflare", "must be a table", None),
        ("[plugins]\ndisabled = 'x'", "plugins.disabled", "list of strings", "write ['x']"),
    ],
)
def test_a_wrong_setting_is_named(
    path: Path, text: str, key: str, why: str, hint: str | None
) -> None:
    with pytest.raises(HostConfigWrong) as caught:
        read(path, text)
    error = caught.value
    assert (error.code, error.facts) == ("E104", {"key": key})
    assert str(error).startswith(f"{key} in the host config is wrong: ")
    assert why in str(error)
    assert error.hint == hint if hint is None else str(error.hint).startswith(hint)


def test_a_file_that_is_no_toml_is_named(path: Path) -> None:
    with pytest.raises(InvalidToml) as caught:
        read(path, "api_port = \n")
    assert caught.value.facts == {"path": str(path), "line": 1, "column": 12}


def test_a_file_that_is_no_text_is_named(path: Path) -> None:
    path.write_bytes(b"# a\nca = '\xff'")
    with pytest.raises(InvalidToml) as caught:
        load(path)
    assert caught.value.facts == {"path": str(path), "line": 2, "column": 7}


def test_a_folder_or_a_pipe_in_its_place_is_said_to_be_none(tmp_path: Path, path: Path) -> None:
    os.mkfifo(path)
    for place in (tmp_path, path):
        with pytest.raises(HostConfigWrong) as caught:
            load(place)
        assert str(caught.value) == f"the host config is wrong: {place} is not a regular file"


@contextmanager
def no_root() -> Iterator[None]:
    """Be somebody else meanwhile if we are root, who may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_file_that_may_not_be_read_is_named(path: Path) -> None:
    path.write_text("")
    path.chmod(0)
    with no_root(), pytest.raises(HostConfigWrong) as caught:
        load(path)
    assert "cannot be read: Permission denied" in str(caught.value)


def test_a_path_that_cannot_be_one_is_named(path: Path) -> None:
    path.write_text("")
    with pytest.raises(HostConfigWrong) as caught:
        load(path / "config.toml")
    assert "cannot be read: Not a directory" in str(caught.value)


def test_a_secret_that_others_may_read_is_withheld(path: Path) -> None:
    text = f'{SECRET}[plugin.x]\na = [{{ password = "p", b = 1 }}]\n'
    assert read(path, text).tunnel == {"cloudflare": {"api_token": "cf-123", "zone_id": "z"}}
    assert read(path, text).withheld == ()
    path.chmod(0o640)
    found = load(path)
    assert found.tunnel == {"cloudflare": {"zone_id": "z"}}
    assert found.plugin == {"x": {"a": [{"b": 1}]}}
    assert found.withheld == ("plugin.x.a.password", "tunnel.cloudflare.api_token")


def test_what_is_written_is_for_its_owner_alone(home: Path) -> None:
    path = home / "config.toml"
    write(path, SECRET)
    assert path.read_text() == SECRET
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write(path, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(home.iterdir()) == [path]


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    path.symlink_to("dotfiles/config.toml")
    write(path, "ca = 'own'\n")
    assert path.is_symlink()
    assert (tmp_path / "dotfiles/config.toml").read_text() == "ca = 'own'\n"


def test_a_file_that_cannot_be_written_is_named(path: Path) -> None:
    path.write_text("")
    with pytest.raises(HostConfigWrong) as caught:
        write(path / "config.toml", "")
    assert "cannot be written" in str(caught.value)
