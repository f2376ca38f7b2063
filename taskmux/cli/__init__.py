"""The `taskmux` command: parse, ask the daemon, show. Nothing is decided here."""

from __future__ import annotations

from .run import entry, main

__all__ = ["entry", "main"]
