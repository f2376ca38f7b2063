"""Finds plugins, gathers what they offer, and keeps the trouble of one from the others."""

from __future__ import annotations

from .allowance import Allowance
from .calls import LIMIT, Hung, called, encodable, failure, guarded
from .choice import choose_probe
from .installed import Found, Source, names, sources
from .offers import Offer
from .registry import Listener, Plugins
from .report import describe
from .shape import check_name
from .tables import probe_of

__all__ = [
    "LIMIT", "Allowance", "Found", "Hung", "Listener", "Offer", "Plugins", "Source", "called",
    "check_name", "choose_probe", "describe", "encodable", "failure", "guarded", "names",
    "probe_of", "sources",
]  # fmt: skip
