"""Asks the daemon for things. Whatever the CLI can do, a program can do through this."""

from __future__ import annotations

from .client import Client

__all__ = ["Client"]
