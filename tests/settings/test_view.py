from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taskmux.settings import Settings, load, view

SECRET = '[tunnel.cloudflare]\napi_token = "cf-123"\nzone_id = "z"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(path: Path, text: str) -> Settings:
    path.write_text(text)
    path.chmod(0o600)
    return load(path)


def table(settings: Settings, *, reveal: bool = False) -> dict[str, tuple[Any, str]]:
    shown = view(settings, "config.toml", reveal=reveal)
    return {each.key: (each.value, each.source) for each in shown}


def test_without_a_file_everything_is_at_its_default(path: Path) -> None:
    assert load(path) == Settings()
    assert {key: value for key, (value, _) in table(load(path)).items()} == {
        "health_check_interval": 30,
        "api_port": 8765,
        "auto_inject_agents": True,
        "host_resolver": "etc_hosts",
        "dns_server_port": 5454,
        "dns_managed_tld": "localhost",
        "dns_install": True,
        "proxy_enabled": True,
        "proxy_https_port": 443,
        "proxy_bind": "127.0.0.1",
        "proxy_http_redirect_port": 80,
        "hosts_file": None,
        "ca": "own",
        "hook_timeout": 60,
        "plugins.disabled": [],
    }


def test_what_is_shown_says_where_it_comes_from_and_hides_secrets(path: Path) -> None:
    found = read(
        path,
        f'{SECRET}[plugin.x]\nclient = {{ secret = {{ a = "s1" }}, id = 1 }}\n'
        'accounts = [{ api_key = "s2", name = "n" }]\n[plugins]\ndisabled = ["y"]\n',
    )
    shown = table(found)
    assert shown["api_port"] == (8765, "default")
    assert shown["plugins.disabled"] == (["y"], "config.toml")
    assert shown["tunnel.cloudflare.zone_id"] == ("z", "config.toml")
    assert shown["tunnel.cloudflare.api_token"] == ("********", "config.toml")
    assert shown["plugin.x.client.id"] == (1, "config.toml")
    assert shown["plugin.x.accounts"][0] == [{"api_key": "********", "name": "n"}]
    assert not any(secret in str(shown) for secret in ("cf-123", "s1", "s2"))
    assert table(found, reveal=True)["tunnel.cloudflare.api_token"][0] == "cf-123"


@pytest.mark.parametrize("name", ["api_token_env", "public_key", "tokens", "keyboard"])
def test_what_only_resembles_a_secret_is_shown(path: Path, name: str) -> None:
    found = table(read(path, f"[tunnel.x]\n{name} = 'v'\n"))
    assert found[f"tunnel.x.{name}"][0] == "v"
