"""One task at work: its process, its probe, its timers and its hooks."""

from __future__ import annotations

from .life import Health, Life
from .outfit import Outfit, Spec
from .runner import Ending, Runner

__all__ = ["Ending", "Health", "Life", "Outfit", "Runner", "Spec"]
