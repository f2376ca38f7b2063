"""The `taskmux` command: parse, ask the daemon, show. Nothing is decided here."""

from __future__ import annotations

import os

if os.geteuid() == 0 and "SUDO_UID" in os.environ:
    from .caches import uncache

    uncache(["taskmux", "taskmux.cli", "taskmux.cli.caches"])

from .run import entry, main

__all__ = ["entry", "main"]
