"""The event bus: one line in the history and one call to each listener for every event."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taskmux.encoding import encode
from taskmux.files import (
    discard,
    make_private,
    read_regular,
    remove_unfinished,
    set_aside,
    write_private,
)
from taskmux.scarcity import described, scarce
from taskmux.when import rfc3339

from . import history
from .carried import CarriedBus

Event = dict[str, Any]
Listener = Callable[[Event], None]

RECENT = 256
"""Events that are kept in memory too: where reading the history meets listening."""


class Bus:
    """Numbers events, appends them to the history and hands them on.

    `seq` continues where the history ended, so it only grows. What cannot be
    written waits for the next event that can; of more than `RECENT`, the oldest
    are lost, and an event says how many. A history that cannot be read is set
    aside, and the first event of the new one says so.
    """

    def __init__(
        self,
        path: Path,
        carried: CarriedBus | None = None,
        *,
        trim_at: int = 15_000,
        keep: int = 10_000,
    ) -> None:
        """Trim a history longer than `trim_at` events to the newest `keep`.

        What was `carried` is told to nobody again, but written down as soon as it can be.
        """
        self._path = path
        self._trim_at, self._keep = trim_at, keep
        self._listeners: list[Listener] = []
        carried = carried or CarriedBus()
        self.why = carried.why
        """What kept the last one that was not written at once from that."""

        self.lost = carried.lost
        """Events that were never written down."""

        self.seq = carried.seq
        """The number of the newest event."""

        self._told = carried.told
        self._unwritten = deque(carried.unwritten)
        self._recent: deque[Event] = deque(history.decoded(self._unwritten), maxlen=RECENT)
        self._begin()

    def _begin(self) -> None:
        path = self._path
        make_private(path.parent)
        remove_unfinished(path)
        self._lines, self._torn = 0, False
        try:
            content = read_regular(path) or b""
            self._lines = content.count(b"\n")
            self._torn = content[-1:] not in (b"", b"\n")
            self.seq = max(self.seq, history.last_seq(content))
        except (OSError, ValueError) as error:
            if scarce(error):  # that says nothing of the history
                raise
            aside = set_aside(path)
            self.seq = max(self.seq, history.last_seq(history.tail(aside)))
            self.publish("state_damaged", path=str(aside), reason=str(error))

    def publish(self, event: str, session: str | None = None, **facts: object) -> Event:
        """Record `event` and tell every listener; facts that are None are left out."""
        self.seq += 1
        head = {"ts": rfc3339(datetime.now(UTC)), "seq": self.seq, "event": event}
        entry = head | {"session": session}
        entry |= {key: value for key, value in facts.items() if value is not None}
        self._append(encode(entry) + b"\n")
        self._recent.append(entry)
        for listener in tuple(self._listeners):
            listener(entry)
        if self.lost > self._told and not self._unwritten:
            count, self._told = self.lost - self._told, self.lost
            self.publish("events_lost", count=count, reason=self.why)
        return entry

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; return what ends that.

        It is called on the way of every event: it must return at once and not raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def since(self, seq: int) -> list[Event] | None:
        """Return the events after number `seq`; None if those are not all in memory any more."""
        if seq < self.seq - len(self._recent):
            return None
        return [event for event in self._recent if event["seq"] > seq]

    def carry(self) -> CarriedBus:
        """Return what it takes to go on in another program of this process."""
        return CarriedBus(self.seq, self.lost, self._told, self.why, tuple(self._unwritten))

    @property
    def waiting(self) -> int:
        """How many events are still to be written down."""
        return len(self._unwritten)

    def clear(self) -> bool:
        """Forget all events so far, unless their file cannot be deleted; return whether it was.

        The numbers go on, from the event that says so.
        """
        if not discard(self._path):
            return False
        self._lines, self._torn = 0, False
        self._unwritten.clear()
        self._recent.clear()
        self.publish("events_cleaned")
        return True

    def _append(self, line: bytes) -> None:
        self._unwritten.append(line)
        try:
            while self._unwritten:
                self._put(self._unwritten[0])
                self._unwritten.popleft()
        except OSError as error:
            self.why = described(error)
            while len(self._unwritten) > RECENT:
                self._unwritten.popleft()
                self.lost += 1
        if self._lines > self._trim_at:
            self._trim()

    def _put(self, line: bytes) -> None:
        # A line that a full disk or a crash cut short must not take the next one with it.
        whole = b"\n" + line if self._torn else line
        written = self._write(whole)
        self._lines += 1
        self._torn = written < len(whole)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _write(self, line: bytes) -> int:
        # Opened anew each time: the file may be cleaned or replaced between two events.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(self._path, flags, 0o600)
        try:
            return os.write(handle, line)
        finally:
            os.close(handle)

    def _trim(self) -> None:
        with suppress(OSError):
            lines = self._path.read_bytes().splitlines(keepends=True)[-self._keep :]
            write_private(self._path, b"".join(lines))
            self._lines = len(lines)
