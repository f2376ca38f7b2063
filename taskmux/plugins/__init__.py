"""Finds plugins, gathers what they offer, and keeps the trouble of one from the others."""

from __future__ import annotations

from .calls import called, encodable, failure, guarded
from .choice import choose_probe
from .offers import Offer
from .registry import Found, Plugins, Source
from .report import describe

__all__ = [
    "Found", "Offer", "Plugins", "Source", "called", "choose_probe", "describe", "encodable",
    "failure", "guarded",
]  # fmt: skip
