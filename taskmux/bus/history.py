"""Reads the event history. Needs no daemon: it is a file of one JSON object a line."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from taskmux.files import read_regular
from taskmux.when import rfc3339

TAIL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to read; None, or empty, is any."""

    session: str | None = None
    task: str | None = None
    kinds: Collection[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: int = 0
    """Only events with a higher `seq`."""

    lines: int | None = None
    """At most so many, the newest."""

    def takes(self, event: dict[str, Any]) -> bool:
        """Return whether `event` is one of those."""
        ts = event["ts"]
        return (
            event["seq"] > self.after
            and self.session in (None, event["session"])
            and self.task in (None, event.get("task"))
            and (not self.kinds or event["event"] in self.kinds)
            and (self.since is None or ts >= rfc3339(self.since))
            and (self.until is None or ts <= rfc3339(self.until))
        )


def read(path: Path, wanted: Wanted) -> list[dict[str, Any]]:
    """Return the events wanted, oldest first."""
    found = [event for event in _events(path) if wanted.takes(event)]
    return found if wanted.lines is None else found[max(0, len(found) - wanted.lines) :]


def follow(path: Path, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield the events wanted, then every later one as it happens; never ends by itself."""
    from watchfiles import watch  # 30 ms that only this needs

    seq = wanted.after
    # The first turn comes at once; the later ones when something in the folder changed.
    changes = watch(
        path.parent, recursive=False, debounce=20, step=5, rust_timeout=1000, yield_on_timeout=True
    )
    while True:
        for event in _events(path):
            if event["seq"] > seq and wanted.takes(event):
                yield event
            seq = max(seq, event["seq"])
        next(changes)


def last_seq(content: bytes) -> int:
    """Return the highest number given to an event so far; 0 without any."""
    return max((event["seq"] for event in decoded(content.splitlines())), default=0)


def tail(path: Path) -> bytes:
    """Return the end of a history that is too large to be read; nothing if it is none at all."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.pread(handle, TAIL, max(0, os.fstat(handle).st_size - TAIL))
    except OSError:
        return b""
    finally:
        os.close(handle)


def decoded(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the events of `lines`; whatever is none is left out."""
    for line in lines:
        # A line cut short by a crash or a full disk costs that line only.
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
            if isinstance(event["seq"], int) and isinstance(event["ts"], str):
                yield event | {"session": event.get("session"), "event": str(event["event"])}
        except (msgspec.MsgspecError, KeyError):
            continue


def _events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = read_regular(path)
    except (OSError, ValueError):  # the daemon sets it aside, and says so
        return
    yield from decoded((content or b"").splitlines())
