"""One task at work: its process, its probe, its timers and its hooks."""

from __future__ import annotations

from .carried import Carried, CarriedLife, Ending, Health
from .life import Life
from .outfit import Outfit, Spec
from .runner import Runner

__all__ = ["Carried", "CarriedLife", "Ending", "Health", "Life", "Outfit", "Runner", "Spec"]
