"""The host config, `config.toml` in the home folder: what holds for every project."""

from __future__ import annotations

from .change import change
from .file import load, write
from .lent import for_resolver
from .model import Authority, Settings
from .view import Shown, view

__all__ = ["Authority", "Settings", "Shown", "change", "for_resolver", "load", "view", "write"]
