"""Processes that carry a mark of ours, and belong to nothing that runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anyio import move_on_after

from . import native
from .marker import of_home
from .model import Row
from .scan import census
from .spawn import runs_at_work
from .sweep import gone, lives

LIMIT = 5.0
"""Seconds that ending them may take."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A process of a run of this home; what its environment says of the run, if anything."""

    row: Row
    session: str
    task: str
    command: str
    ports: list[int]
    """Where it listens."""


async def strays(home: Path) -> list[Stray]:
    """Return the processes of runs of `home` that are none of ours at work.

    Only those whose marker is one of this home: other daemons have strays, too.
    """
    now, ours, found = await census(), of_home(home), list[Stray]()
    # Nothing is awaited from here on. What was read may be of a run that is over by now: who
    # still lives is a stray only if no run that goes on now is its own.
    known = runs_at_work()
    for pid, run_id in sorted(now.markers.items()):
        if run_id not in known and ours(run_id) and lives(now.rows[pid]):
            environ = native.environ_of(pid)
            session, task = environ.get("TASKMUX_SESSION", ""), environ.get("TASKMUX_TASK", "")
            command, ports = native.command_of(pid), native.listening([pid])
            found.append(Stray(now.rows[pid], session, task, command, ports))
    return found


async def end_strays(home: Path) -> list[int]:
    """End what `strays` finds until it finds nobody; return who is left all the same.

    One by one: what is known of a stray is said by itself, and by nobody for its group.
    """
    with move_on_after(LIMIT):
        while found := await strays(home):
            for stray in found:  # at once: a stray as of now
                with suppress(PermissionError):  # another user's, said of below
                    native.kill(stray.row)
            for stray in found:
                await gone(stray.row)
    return [stray.row.pid for stray in await strays(home)]
