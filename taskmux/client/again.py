"""Whether a request is asked again of a daemon that was away for a moment, and of whom."""

from __future__ import annotations

import os
import time
from pathlib import Path

from msgspec.structs import replace

from taskmux import paths, wire
from taskmux.errors import Refused
from taskmux.files import read_regular

from .line import Unread, answers

PAUSE = 0.02
"""Seconds until a daemon that is being restarted is asked again."""

ABSENCE = 1.0
"""Seconds in which a daemon has noticed that its socket was deleted."""


def asked_again(request: wire.Request, failure: Refused | Unread) -> wire.Request | None:
    """Return what to ask after it; None where that would be done twice."""
    if isinstance(failure, Unread) or not failure.facts.get("begun"):
        return request
    if isinstance(request, wire.StartTasks | wire.RestartTasks):
        return replace(request, begun=True)
    return None


def within(request: wire.Request, spent: float) -> wire.Request:
    """Return the request with what is left of its time."""
    if isinstance(request, wire.Wait | wire.StartTasks | wire.RestartTasks) and request.timeout:
        return replace(request, timeout=max(0.0, request.timeout - spent))
    return request


def comes_back(door: Path) -> bool:
    """Return whether a daemon whose socket was deleted makes another, as it soon does."""
    until = time.monotonic() + ABSENCE
    try:
        pid = int(read_regular(paths.pid(door.parent)) or b"")
        while not door.exists() and time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(PAUSE)
    except (OSError, ValueError):  # there is none
        return False
    return answers(door)


def outwait(pid: int) -> None:
    """Return when that process has ended."""
    from .launch import outlasting  # for the rare case that a daemon ends just now

    with outlasting(pid):
        pass
