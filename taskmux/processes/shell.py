"""One-off commands, such as hooks and health checks: run, heard, and wholly gone afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from anyio import create_task_group, move_on_after
from anyio.lowlevel import RunVar

from taskmux.contracts import ShellRun

from . import sweep
from .marker import akin
from .model import MARKER
from .output import Feed, pump, take
from .spawn import Child, spawn

TAIL = 2000
"""Bytes of output that are kept."""

LIMIT = 5.0
"""Seconds that ending a command may take."""


async def run_shell(
    command: str,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    feed: Callable[[bytes], object] | None = None,
) -> ShellRun:
    """Run a command in a session of its own and return how it ended; `feed` gets its output.

    When this returns, raises or is cancelled, nothing of the command is left,
    background children included, but what may not or could not be ended within
    `LIMIT`: that is one of the `strays` from then on. It waits for the shell, not
    for those. Raise `OSError` if it could not be run. How long it may take is up
    to the caller.
    """
    run_id = akin(environ.get(MARKER))
    tail = _Tail(feed)
    reader, writer = os.pipe()
    try:
        os.set_blocking(reader, False)
        try:
            child = spawn(command, cwd=cwd, environ={**environ, MARKER: run_id}, output=writer)
        finally:
            os.close(writer)
        trace = sweep.Trace(run_id, child.pid, child.started)
        _under_way().add(trace)
        try:
            status = await _follow(child, reader, tail.add)
        finally:
            await _end(child, trace)
            _under_way().discard(trace)
        _empty(reader, tail.add)
    finally:
        os.close(reader)
    return ShellRun(status, tail.text())


def shells_under_way() -> list[sweep.Trace]:
    """Return the commands that run now."""
    return list(_under_way())


async def end_shell(trace: sweep.Trace) -> None:
    """End a command that was run before this process executed its present program."""
    with suppress(OSError):  # no child of ours: whoever it is will not be touched
        await _end(Child(trace.session, trace.run_id), trace)


def _under_way() -> set[sweep.Trace]:
    try:
        return _shells.get()
    except LookupError:
        _shells.set(set())
        return _shells.get()


async def _follow(child: Child, reader: int, feed: Feed) -> int:
    async with create_task_group() as group:
        group.start_soon(pump, reader, feed)
        status = await child.exited()
        group.cancel_scope.cancel()
    return status


async def _end(child: Child, trace: sweep.Trace) -> None:
    child.signal(signal.SIGKILL)
    with move_on_after(LIMIT, shield=True):
        await child.exited()
        await sweep.end(trace, limit=LIMIT)
    child.reap()


def _empty(reader: int, feed: Feed) -> None:
    # Nobody is left to write, so this ends after what a pipe can hold.
    with suppress(BlockingIOError):
        while piece := take(reader):
            feed(piece)


_shells: RunVar[set[sweep.Trace]] = RunVar("_shells")


class _Tail:
    """Hands on what it is given, and remembers the end of it."""

    def __init__(self, feed: Feed | None) -> None:
        self._feed = feed
        self._kept = b""

    def add(self, piece: bytes) -> None:
        self._kept = (self._kept + piece)[-TAIL:]
        if self._feed is not None:
            self._feed(piece)

    def text(self) -> str:
        return self._kept.decode(errors="replace").strip()
