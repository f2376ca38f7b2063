"""The command table: what the daemon does for each request, the same at both doors."""

from __future__ import annotations

from .gate import Gate
from .house import House
from .table import Commands

__all__ = ["Commands", "Gate", "House"]
