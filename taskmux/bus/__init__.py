"""Everything worth remembering that happens: written down, and told to whoever listens."""

from __future__ import annotations

from .bus import Bus

__all__ = ["Bus"]
