"""Who listens on a task's port before the task does: what we left is ended, others are named."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from taskmux.processes import Holder, Trace, end, environ_of, holder, of_home, runs_at_work
from taskmux.threads import in_thread_or_here


async def evict(port: int, home: Path, session: str) -> Holder | None:
    """End who listens on `port`, if that is left of an earlier run of this session; return who.

    It is if its environment says so, and its run is none of ours at work. What it made,
    and it was made with, ends with it. Return None where there is nobody, or a stranger.
    """
    by = await held(port)
    if by is None or by.pid is None:
        return None
    environ = await in_thread_or_here(partial(environ_of, by.pid))
    run_id = environ.get("TASKMUX_RUN_ID", "")
    ours = of_home(home)(run_id) and environ.get("TASKMUX_SESSION") == session
    if not ours or run_id in runs_at_work():  # as it is now, after all that was awaited
        return None
    await end(Trace(run_id, session=0, started=0))
    return by


async def held(port: int) -> Holder | None:
    """Return who listens on a TCP port of this machine; None if nobody does."""
    return await in_thread_or_here(partial(holder, port))


def told(port: int, by: Holder | None, became: str) -> dict[str, object]:
    """Return what an event says of `port`, which was held `by` somebody, and what `became` of that.

    The holder is left out where the system does not show him.
    """
    if by is None or by.pid is None:
        return {"port": port, "reason": f"port {port} is held by somebody else: {became}"}
    reason = f"port {port} is held by pid {by.pid} ({by.command}): {became}"
    return {"port": port, "holder_pid": by.pid, "holder_command": by.command, "reason": reason}
