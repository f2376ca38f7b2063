"""One call into a plugin, in a thread that has nothing else to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from anyio import RunFinishedError, from_thread
from anyio.lowlevel import current_token

from .calls import LIMIT, guarded
from .outcome import Outcome

T = TypeVar("T")


async def alone(plugin: str, doing: str, work: Callable[[], T], limit: float = LIMIT) -> T:
    """Return what `work` returns, as `called` does, without holding up our loop.

    The thread has no event loop, so `work` may run one of its own. Cancelled, or after
    `limit` seconds, it is left to itself.
    """
    outcome, token = Outcome[T](), current_token()

    def run() -> None:
        try:
            outcome.returned.append(work())
        except BaseException as error:  # noqa: BLE001 (a thread has no caller: raised in ours)
            outcome.raised = error
        with suppress(RunFinishedError):  # our loop has ended, and nobody waits any more
            from_thread.run_sync(outcome.settle, token=token)

    async with guarded(plugin, doing, limit):
        Thread(target=run, name=f"plugin {plugin}", daemon=True).start()
        await outcome.known.wait()
        return outcome.get()
