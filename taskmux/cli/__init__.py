"""The `taskmux` command: parse, ask the daemon, show. Nothing is decided here."""

from __future__ import annotations

import os
import sys

if os.geteuid() == 0 and "SUDO_UID" in os.environ:  # caches of root's would stay in the way
    sys.dont_write_bytecode = True

from .run import entry, main

__all__ = ["entry", "main"]
