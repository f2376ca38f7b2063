"""What plugins are lent of the host config."""

from __future__ import annotations

from typing import Any

from .model import Settings

SHARED = ("hosts_file", "dns_server_port", "dns_managed_tld", "dns_install")
"""Settings of every resolver."""


def for_resolver(settings: Settings, plugin: str | None) -> dict[str, Any]:
    """Return the plugin's own table, and in it the settings of all resolvers."""
    shared = {key: getattr(settings, key) for key in SHARED}
    return shared | dict(settings.plugin.get(plugin or "", {}))
