"""Modules imported when they are first used, in annotations that only a parser evaluates."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """Stands for a module of this package until somebody asks it for something."""

    def __init__(self, name: str) -> None:
        self._name = f"{__package__}.{name}"

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)
