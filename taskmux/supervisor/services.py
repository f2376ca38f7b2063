"""What a supervisor is lent by the daemon around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from taskmux.bus import Bus
from taskmux.plugins import Plugins
from taskmux.plugins.elsewhere import Elsewhere
from taskmux.processes import Ports
from taskmux.settings import Settings
from taskmux.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The daemon's own, shared by all projects."""

    home: Path
    settings: Settings
    bus: Bus
    store: Store
    plugins: Plugins
    ports: Ports
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    """Where probes of other distributions are asked."""
