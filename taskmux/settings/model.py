"""Every host-wide setting, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskmux.toml import Keys


class Authority(StrEnum):
    """Who signs the certificates of local URLs."""

    OWN = "own"
    MKCERT = "mkcert"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, at its default unless the file says otherwise. Times are in seconds."""

    health_check_interval: float = 30.0
    """How often a task is looked at that has nothing to be asked: only an exit counts there."""

    api_port: int = 8765
    auto_inject_agents: bool = True
    host_resolver: str = "etc_hosts"
    dns_server_port: int = 5454
    dns_managed_tld: str = "localhost"
    dns_install: bool = True
    """False serves names without touching the system's resolver."""

    proxy_enabled: bool = True
    proxy_https_port: int = 443
    proxy_bind: str = "127.0.0.1"
    proxy_http_redirect_port: int = 80
    """0 switches the redirect off."""

    hosts_file: str | None = None
    """None stands for the system's."""

    ca: Authority = Authority.OWN
    hook_timeout: float = 60.0
    tunnel: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per backend, its table; the backend's to check."""

    plugin: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per plugin, its table; the plugin's to check."""

    disabled_plugins: tuple[str, ...] = ()
    """`disabled` of the table `plugins`: these are not loaded."""

    given: frozenset[Keys] = frozenset()
    """The keys that the file sets."""

    withheld: tuple[str, ...] = ()
    """Secrets left out because others may read the file; `chmod 600` brings them back."""
