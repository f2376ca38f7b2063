"""What a supervisor is lent by the daemon around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from taskmux.bus import Bus
from taskmux.plugins import Plugins
from taskmux.plugins.elsewhere import Elsewhere
from taskmux.processes import Ports
from taskmux.project import ProjectConfig
from taskmux.routes import Urls
from taskmux.settings import Settings
from taskmux.store import Store
from taskmux.trust.anchor import Anchor


@dataclass(frozen=True, slots=True)
class Services:
    """The daemon's own, shared by all projects."""

    home: Path
    settings: Settings
    bus: Bus
    store: Store
    plugins: Plugins
    ports: Ports
    urls: Urls = field(default_factory=Urls)
    """Where browsers find tasks."""

    anchor: Anchor | None = None
    """Who signs for names; None where nobody does."""

    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    """Where probes of other distributions are asked."""

    @property
    def root(self) -> Path | None:
        """The certificate that clients of tasks are to trust; None if there is none."""
        return None if self.anchor is None else self.anchor.path

    async def prepare(self, config: ProjectConfig) -> None:
        """Have what tasks are told of before any of them starts: who signs for their names."""
        if self.anchor is not None and any(task.host for task in config.tasks.values()):
            await self.anchor.make()
