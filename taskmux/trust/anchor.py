"""The root that tasks are told of, so that what they ask of each other's names is verified.

Importing this imports nothing that signs: whose tasks have no names never needs it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taskmux import paths
from taskmux.errors import TaskmuxError
from taskmux.routes import TLD
from taskmux.settings import Authority
from taskmux.threads import in_thread

from . import mkcert

log = logging.getLogger("taskmux")


@dataclass(frozen=True, slots=True)
class Anchor:
    """The certificate of who signs for this user's tasks."""

    home: Path
    ca: Authority
    environ: Mapping[str, str]
    """The daemon's own: it says where mkcert keeps what is its."""

    @property
    def path(self) -> Path | None:
        """Where it is; None if there is none."""
        place = self._place()
        return place if os.access(place, os.R_OK) else None

    async def make(self) -> None:
        """Have it made if there is none and it is for us to make; a failure is the proxy's."""
        if self.ca is not Authority.OWN or self.path is not None:
            return
        try:
            await in_thread(self._own)
        except TaskmuxError as trouble:
            log.warning("tasks are told of no authority: %s", trouble)

    def _own(self) -> None:
        from . import authority  # slower than all else at the start

        authority.own(self.home, (TLD,))

    def _place(self) -> Path:
        if self.ca is Authority.OWN:
            return paths.root(self.home)
        return mkcert.folder(self.environ) / mkcert.ROOT
