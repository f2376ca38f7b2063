"""The user's browser. It is found by Python's own `webbrowser`, in a process of its own.

What a browser prints, or a script in $BROWSER, would otherwise land between the lines of our
answer; and one that stays open would keep the command from returning.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

PATIENCE = 5.0
"""Seconds after which a browser that has not ended is one that is open."""

# Isolated: neither the folder we are in nor variables decide what is imported.
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


def show(url: str, environ: Mapping[str, str], patience: float = PATIENCE) -> str | None:
    """Open a URL in the browser that `environ` speaks of; return why that cannot be, or None."""
    why = missing(environ, sys.platform)
    if why is not None:
        return why
    # Without TERM it thinks of no browser that would draw into a terminal.
    with_display = {name: value for name, value in environ.items() if name != "TERM"}
    nothing = subprocess.DEVNULL
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", _OPEN, url],
        env=with_display,
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=True,
    )
    try:
        status = child.wait(patience)
    except subprocess.TimeoutExpired:
        child.returncode = 0  # it is the user's from now on
        return None
    chosen = environ.get("BROWSER")
    if status == 0:
        return None
    return f"$BROWSER, which is {chosen!r}, failed" if chosen else "no browser could be opened"


def missing(environ: Mapping[str, str], platform: str) -> str | None:
    """Return why there is no browser to be opened; None if there may be one. Pure."""
    if environ.get("BROWSER"):
        return None
    remote = "SSH_CONNECTION" in environ or "SSH_TTY" in environ
    if platform == "darwin":
        return "there is no browser at this end of the SSH session" if remote else None
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return None
    return f"there is no display for a browser{' in this SSH session' if remote else ''}"
