"""Finds plugins, gathers what they offer, and keeps the trouble of one from the others."""

from __future__ import annotations

from .calls import called, encodable, guarded
from .choice import choose_probe
from .offers import Offer
from .registry import GROUP, Plugins, Source

__all__ = ["GROUP", "Offer", "Plugins", "Source", "called", "choose_probe", "encodable", "guarded"]
