"""What one program of the daemon hands to the next, through a file that has no name."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from taskmux.api.reception import Listening
from taskmux.bus import CarriedBus
from taskmux.processes import Trace
from taskmux.projects import CarriedProjects

from .listeners import Listener

FORMAT = 3
"""Raised when a daemon of an older version could not be followed by one of this any more."""


@dataclass(frozen=True, slots=True)
class CarriedWebSocket:
    """The WebSocket, open, and what lets in whoever the kernel can't vouch for."""

    listening: Listening
    token: str


@dataclass(frozen=True, slots=True)
class CarriedDoors:
    """Both doors, open; the second one is not always there."""

    unix: Listening
    websocket: CarriedWebSocket | None


@dataclass(frozen=True, slots=True)
class CarriedDaemon:
    """The daemon as it is: its descriptors, its children, and what it knows of them."""

    lock: int
    doors: CarriedDoors
    port: int | None
    """The port that was asked for on the command line."""

    files: int | None
    """The soft limit of open files that tasks are given, where it is not our own."""

    umask: int
    """What tasks begin with."""

    shells: list[Trace]
    """Health checks that were under way, and are to be ended."""

    projects: CarriedProjects
    bus: CarriedBus
    listeners: tuple[Listener, ...] = ()
    """What was bound for it; older versions carry none."""

    format: int = FORMAT

    def descriptors(self) -> Iterator[int]:
        """Yield every descriptor that the next program needs."""
        yield self.lock
        yield from (listener.descriptor for listener in self.listeners)
        yield from self.doors.unix.descriptors
        if self.doors.websocket is not None:
            yield from self.doors.websocket.listening.descriptors
        for project in self.projects.opened.values():
            for member in project.members.values():
                if member.runner.life is not None:
                    yield member.runner.life.terminal


def encode(carried: CarriedDaemon) -> bytes:
    """Return it as ASCII; environments may hold bytes that are no text."""
    return json.dumps(msgspec.to_builtins(carried)).encode("ascii")


def decode(text: bytes) -> CarriedDaemon:
    """Return what `encode` was given; raise `ValueError` if this version cannot read it."""
    found: dict[str, Any] = json.loads(text)
    if found.get("format") != FORMAT:
        raise ValueError(f"it is of format {found.get('format')}, and this version reads {FORMAT}")
    return msgspec.convert(found, CarriedDaemon)


def put_away(text: bytes) -> int:
    """Return a descriptor from which `text` can be read, once, by what is executed next."""
    # It holds the environments of tasks, and secrets with them: nobody finds it by a path.
    if sys.platform == "linux":
        handle = os.memfd_create("taskmux", 0)
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
            os.set_inheritable(handle, True)
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def fetch(handle: int) -> CarriedDaemon:
    """Return what was put away; its descriptors are ours alone again."""
    with os.fdopen(handle, "rb") as file:
        carried = decode(file.read())
    for descriptor in carried.descriptors():
        os.set_inheritable(descriptor, False)
    return carried
