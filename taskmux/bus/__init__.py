"""Everything worth remembering that happens: written down, and told to whoever listens."""

from __future__ import annotations

from .bus import Bus
from .carried import CarriedBus
from .pages import Page, Pages

__all__ = ["Bus", "CarriedBus", "Page", "Pages"]
