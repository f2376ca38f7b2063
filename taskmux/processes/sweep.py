"""Finds and ends what still lives of a run, wherever it has hidden.

Everybody who looks at the same moment shares one scan of the system's
processes, so that ending a thousand tasks costs not much more than ending one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from time import monotonic, thread_time

import anyio
from anyio import move_on_after, to_thread, wait_readable
from anyio.lowlevel import RunVar

from . import native
from .census import Census, Trace, same
from .model import Row

__all__ = ["Trace", "census", "end", "end_marked", "members"]

IDLE = 4.0
"""In the long run, scans take one part of the CPU's time, and leave so many to others."""

CREDIT = 0.5
"""Seconds of idling that may still be owed when the next scan begins."""


_Program = tuple[int, int, int]


async def end(trace: Trace, *, known: Collection[Row] = (), limit: float = 5.0) -> list[int]:
    """End all that lives of a run, leader included; return the pids of what could not be.

    The surest moment is when the leader is dead and not yet reaped. `known` may
    hold what `members` returned before: it also finds those that left the
    session, dropped the marker and lost their parent since.
    """
    return await _end(lambda now: now.survivors(trace, known), limit)


async def end_marked(is_ours: Callable[[str], bool], *, limit: float = 5.0) -> list[int]:
    """End all that lives of runs whose marker `is_ours`; return the pids of what could not be."""
    return await _end(lambda now: now.marked(is_ours), limit)


async def members(trace: Trace) -> list[Row]:
    """Return what lives of a run now, leader included."""
    return (await census()).survivors(trace)


async def census() -> Census:
    """Return all processes as they were at a moment after the call."""
    try:
        scans = _scans.get()
    except LookupError:
        scans = _Scans()
        _scans.set(scans)
    return await scans.next()


async def _end(find: Callable[[Census], list[Row]], limit: float) -> list[int]:
    missed: list[Row] = []
    found = find(now := await census())
    with move_on_after(limit):
        # Where somebody was missed, or not recognized, a scan that finds nobody proves nothing.
        while found or missed or now.blurred:
            hit, missed = _kill(found, now)
            if found and not hit and not missed:
                break
            for row in hit:
                await _gone(row)
            found = find(now := await census())
    return [row.pid for row in found if _lives(row)]


def _kill(rows: Collection[Row], now: Census) -> tuple[list[Row], list[Row]]:
    """Return those that will soon be gone, and those that were so already."""
    hit: list[Row] = []
    missed: list[Row] = []
    for row in rows:
        with suppress(PermissionError):  # another user's: `sudo` in a task
            (hit if native.kill(row) else missed).append(row)
    # Those had gone before they were hit, perhaps leaving a child: single shots at such
    # always come too late. A group is hit as a whole, forks under way included. No number
    # is used again within the moment since the scan: first come all the others.
    for group in now.groups(rows) & {row.group for row in missed}:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    return hit, missed


async def _gone(row: Row) -> None:
    try:
        fd = native.exit_fd(row.pid)
    except ProcessLookupError:
        return
    try:
        if _lives(row):
            await wait_readable(fd)
    finally:
        os.close(fd)


def _lives(row: Row) -> bool:
    seen = native.look(row.pid)
    return seen is not None and same(seen, row) and not seen.zombie


class _Scans:
    """Scans of one event loop: one at a time, and each serves all who asked before it began."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()
        self._begun = 0
        self._latest: tuple[int, Census] | None = None
        self._idle_until = 0.0
        self._markers: dict[_Program, str | None] = {}

    async def next(self) -> Census:
        asked = self._begun
        async with self._turn:
            if self._latest is None or self._latest[0] <= asked:
                await anyio.sleep(max(0.0, self._idle_until - CREDIT - monotonic()))
                self._begun += 1
                self._latest = self._begun, await to_thread.run_sync(self._scan)
            return self._latest[1]

    def _scan(self) -> Census:
        begin = thread_time()
        uid = os.getuid()
        rows = []
        seen: dict[_Program, str | None] = {}
        blurred = False
        for row in native.walk():
            rows.append(row)
            if row.uid == uid and not row.zombie:
                marker = self._marker_of(row)
                if marker == "" and _changes(row):
                    blurred = True
                else:
                    seen[_program(row)] = marker
        self._markers = seen
        cost = thread_time() - begin
        self._idle_until = max(self._idle_until, monotonic()) + IDLE * cost
        markers = {pid: marker for (pid, _, _), marker in seen.items() if marker}
        return Census(rows, markers, os.getpid(), blurred=blurred)

    def _marker_of(self, row: Row) -> str | None:
        # What can be read of an environment is what a program was executed with. It
        # changes only when another is, which `image` shows; so one look is enough.
        program = _program(row)
        if row.image and program in self._markers:
            return self._markers[program]
        return native.marker_of(row.pid)


def _program(row: Row) -> _Program:
    return row.pid, row.started, row.image


def _changes(row: Row) -> bool:
    """Return whether a process without environment was just executing another program."""
    now = native.look(row.pid)
    # Session 0 is the kernel's own: those never have an environment.
    return now is not None and row.session != 0 and (now.image == 0 or now.image != row.image)


_scans: RunVar[_Scans] = RunVar("_scans")
