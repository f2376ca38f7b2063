"""What a plugin is lent of the host config: its own table, and what concerns its kind."""

from __future__ import annotations

from typing import Any

from .model import Settings

RESOLVING = ("hosts_file", "dns_server_port", "dns_managed_tld", "dns_install")
"""Settings of all resolvers: which one makes use of which is theirs to know."""


def lend(settings: Settings, plugin: str | None) -> dict[str, Any]:
    """Return the settings a plugin is given; its own table, `plugin.NAME`, goes first.

    None is one that nobody has.
    """
    shared = {name: getattr(settings, name) for name in RESOLVING}
    return shared | dict(settings.plugin.get(plugin or "", {}))
