"""Finds plugins, gathers what they offer, and keeps the trouble of one from the others."""

from __future__ import annotations

from .allowance import Allowance
from .calls import LIMIT, called, encodable, failure, guarded
from .choice import choose_probe
from .offers import Offer
from .registry import GROUP, Found, Plugins, Source, entries
from .report import describe
from .tables import probe_of

__all__ = [
    "GROUP", "LIMIT", "Allowance", "Found", "Offer", "Plugins", "Source", "called",
    "choose_probe", "describe", "encodable", "entries", "failure", "guarded", "probe_of",
]  # fmt: skip
