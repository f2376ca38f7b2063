"""`python -m taskmux`: the command, where its script is not on the PATH."""

from __future__ import annotations

from taskmux.cli import entry

entry()
