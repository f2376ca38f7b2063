"""Work that blocks, in a thread, also where the system has none to give."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from .scarcity import Scarce

Outcome = TypeVar("Outcome")


async def in_thread(
    work: Callable[[], Outcome],
    *,
    limiter: CapacityLimiter | None = None,
    abandon_on_cancel: bool = False,
) -> Outcome:
    """Return what `work` returns. Raise `Scarce` if there is no thread it could run in."""
    begun = False

    def run() -> Outcome:
        nonlocal begun
        begun = True
        return work()

    try:
        return await to_thread.run_sync(run, abandon_on_cancel=abandon_on_cancel, limiter=limiter)
    except RuntimeError:
        if begun:
            raise
        raise Scarce("the system makes no more threads") from None


async def in_thread_or_here(work: Callable[[], Outcome]) -> Outcome:
    """Return what `work`, which is short, returns; without a thread, everybody waits for it."""
    try:
        return await in_thread(work)
    except Scarce:
        return work()
