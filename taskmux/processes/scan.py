"""Reads every process there is, and whose it is, at one moment.

Everybody who looks at the same moment shares one scan of the system's
processes, so that ending a thousand tasks costs not much more than ending one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic, thread_time

import anyio
from anyio.lowlevel import RunVar

from taskmux.scarcity import scarce
from taskmux.threads import in_thread_or_here

from . import native
from .census import Census
from .model import Row

IDLE = 4.0
"""In the long run, scans take one part of the CPU's time, and leave so many to others."""

CREDIT = 0.5
"""Seconds of idling that may still be owed when the next scan begins."""

LISTINGS = 8
"""How often, at most, a scan looks who is new; a busy machine always has somebody."""

SHORTAGE = 0.1
"""Seconds to the next try where there was no descriptor left to read with."""

CHASE = 1000
"""How often, at most, a hunt looks at the newest: a listing takes longer than some live."""

IsOurs = Callable[[str], bool]
"""Tells by a marker whether those that carry it are meant."""

_Program = tuple[int, int, int]


async def census() -> Census:
    """Return all processes as they were at a moment after the call."""
    return await _here().next()


async def hunt(is_prey: IsOurs) -> Census:
    """Kill on sight all whose marker `is_prey`; return the processes as they were about then.

    Who forks and exits all the time is gone again before a whole census is read.
    """
    return await _here().hunt(is_prey)


def _here() -> _Scans:
    try:
        return _scans.get()
    except LookupError:
        _scans.set(scans := _Scans())
        return scans


def processes() -> list[Row]:
    """Return every process there is, as far as it may be seen."""
    return [row for pid in native.pids() if (row := native.look(pid)) is not None]


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
                await self._scan(None)
            assert self._latest is not None
            return self._latest[1]

    async def hunt(self, is_prey: IsOurs) -> Census:
        async with self._turn:
            return await self._scan(is_prey)

    async def _scan(self, is_prey: IsOurs | None) -> Census:
        await anyio.sleep(max(0.0, self._idle_until - CREDIT - monotonic()))
        self._begun += 1
        found = await self._whole(is_prey)
        self._latest = self._begun, found
        return found

    async def _whole(self, is_prey: IsOurs | None) -> Census:
        # Half a reading would let a task end before all of it has: nobody is told less.
        while True:
            try:
                return await in_thread_or_here(partial(self._timed, is_prey))
            except OSError as error:
                if not scarce(error):
                    raise
            await anyio.sleep(SHORTAGE)

    def _timed(self, is_prey: IsOurs | None) -> Census:
        begin = thread_time()
        scan = _Scan(self._markers, is_prey)
        found = scan.census()
        self._markers = scan.markers
        cost = thread_time() - begin
        self._idle_until = max(self._idle_until, monotonic()) + IDLE * cost
        return found


class _Scan:
    """One reading of all processes; `known` are the markers that the one before it saw."""

    def __init__(self, known: dict[_Program, str | None], is_prey: IsOurs | None) -> None:
        self._is_prey = is_prey
        self._hit = False
        self.markers: dict[_Program, str | None] = {}
        self._known = known
        self._rows: dict[int, Row | None] = {}
        self._unclear: set[int] = set()
        self._uid, self._own = os.getuid(), os.getpid()

    def census(self) -> Census:
        """Read on until all who were there in one listing could be read alive.

        Whoever had ended since may have left a child that came too late for it.
        """
        torn = True
        for _ in range(LISTINGS):
            seen, self._unclear = self._rows.keys() - self._unclear, set()
            new = [pid for pid in native.pids() if pid not in seen]
            alive = [self._read(pid) for pid in new]
            if not (torn := not all(alive)):
                break
        if torn and self._is_prey:
            self._chase()
        rows = [row for row in self._rows.values() if row is not None]
        markers = {pid: marker for (pid, _, _), marker in self.markers.items() if marker}
        return Census(rows, markers, os.getpid(), torn=torn)

    def _chase(self) -> None:
        last = native.newest_pid()
        for _ in range(CHASE):
            if self._hit:
                return
            before, last = last, native.newest_pid()
            for pid in range(last, max(before, last - 8), -1):
                self._read(pid)

    def _read(self, pid: int) -> bool:
        self._rows[pid] = row = native.look(pid)
        if row is None or row.zombie:
            return False
        if row.kernel or pid == self._own:
            return True
        marker = self._marker_of(row)
        if marker == "" and not _never_has_one(row):
            self._unclear.add(pid)
            return False
        self.markers[_program(row)] = marker
        if marker and self._is_prey and self._is_prey(marker):
            with suppress(PermissionError):  # another user's
                self._hit = native.kill(row)
        return True

    def _marker_of(self, row: Row) -> str | None:
        # What can be read of an environment is what a program was executed with. It
        # changes only when another is, which `image` shows; so one look is enough. Of
        # another user's process nothing can be read but its badge, which never changes.
        program = _program(row)
        if (row.image or row.uid != self._uid) and program in self._known:
            return self._known[program]
        # What a plugin made while we were making a task may wear that task's badge.
        return native.marker_of(row.pid, badges=row.parent != self._own)


def _program(row: Row) -> _Program:
    return row.pid, row.started, row.image


def _never_has_one(row: Row) -> bool:
    """Return whether a process lives on without environment, and is not just executing."""
    now = native.look(row.pid)
    return now is not None and not now.zombie and now.image == row.image != 0


_scans: RunVar[_Scans] = RunVar("_scans")
