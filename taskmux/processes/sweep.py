"""Finds and ends what still lives of a run, wherever it has hidden."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

from anyio import move_on_after, sleep, wait_readable

from taskmux.scarcity import scarce

from . import native
from .census import Census, Trace, same
from .model import Row
from .scan import SHORTAGE, IsOurs, census, hunt

__all__ = ["Trace", "end", "end_marked", "members"]

DOUBTS = 3
"""Torn scans in a row that show nobody of a run, until nobody is believed to be there.

They may all be torn by strangers. But where somebody of the run was seen and had gone before
the blow, nothing is believed but a scan that is whole.
"""


async def end(trace: Trace, *, limit: float = 5.0) -> list[int]:
    """End all that lives of a run, leader included; return the pids of what could not be.

    The surest moment is when the leader is dead and not yet reaped. Found are also those
    that left the session, dropped the marker and lost their parent, if they wear a badge.
    """
    return await _end(lambda now: now.survivors(trace), trace.run_id.__eq__, limit)


async def end_marked(is_ours: IsOurs, *, limit: float = 5.0) -> list[int]:
    """End all that lives of runs whose marker `is_ours`; return the pids of what could not be."""
    return await _end(lambda now: now.marked(is_ours), is_ours, limit)


async def members(trace: Trace) -> list[Row]:
    """Return what lives of a run now, leader included."""
    return (await census()).survivors(trace)


async def _end(find: Callable[[Census], list[Row]], is_ours: IsOurs, limit: float) -> list[int]:
    found, scan = find(now := await census()), census
    evasive, quiet = False, 0
    with move_on_after(limit):
        while found or (now.torn and (evasive or quiet < DOUBTS)):
            evasive = evasive or not all(map(lives, found))
            hit = _kill(found, now)
            if found and not hit:
                return [row.pid for row in found if lives(row)]
            for row in hit:
                await gone(row)
            found = find(now := await scan())
            scan = partial(hunt, is_ours)  # for those who are still there
            quiet = 0 if found else quiet + 1
        return []
    return [row.pid for row in find(await hunt(is_ours))]


def _kill(rows: Collection[Row], now: Census) -> list[Row]:
    """Return those that will soon be gone, if they are not so already; or are to be tried again."""
    # Single shots always come too late at those that fork and exit all the time. A group
    # is hit as a whole, forks under way included; and within the moment since the scan
    # no number is used again.
    for group in now.groups(rows):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    hit = []
    for row in rows:
        try:
            native.kill(row)
        except PermissionError:  # another user's: `sudo` in a task
            continue
        except OSError as error:
            # Without a descriptor to hold it by, its number could be another's by now.
            if not scarce(error):
                raise
        hit.append(row)
    return hit


async def gone(row: Row) -> None:
    """Return once the very process that `row` tells of has ended."""
    try:
        fd = native.exit_fd(row.pid)
    except ProcessLookupError:
        return None
    except OSError as error:
        if not scarce(error):
            raise
        return await sleep(SHORTAGE)
    try:
        if lives(row):
            await wait_readable(fd)
    finally:
        os.close(fd)


def lives(row: Row) -> bool:
    """Return whether the very process that `row` tells of has not ended yet."""
    try:
        seen = native.look(row.pid)
    except OSError as error:
        if not scarce(error):
            raise
        return True
    return seen is not None and same(seen, row) and not seen.zombie
