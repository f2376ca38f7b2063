"""What taskmux lends a plugin while it is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # 30 ms between them, in every command that reads a taskmux.toml
    from logging import Logger
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What taskmux lends a plugin while it is open."""

    settings: Mapping[str, Any]
    """The plugin's own table from the host config, not yet validated.

    A resolver finds the settings of all resolvers in it as well, unless its table has
    others: `hosts_file`, `dns_server_port`, `dns_managed_tld` and `dns_install`.
    """

    state_dir: Path
    """A folder only this plugin writes to. It survives restarts."""

    log: Logger

    report: Callable[[str, Mapping[str, Any]], None]
    """Put an event of the plugin's own, by kind and facts, on the bus; returns at once."""
