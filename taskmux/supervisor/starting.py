"""Waits for starts to come to an end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import anyio

from taskmux.errors import TimedOut
from taskmux.runner import Runner

from .verdicts import settled


async def until_settled(runners: Mapping[str, Runner], limit: float | None) -> None:
    """Return once each has come to an end, well or not; after `limit` seconds raise `TimedOut`."""
    try:
        with anyio.fail_after(limit):
            for runner in runners.values():
                await runner.wait_until(partial(settled, oneshot=runner.spec.policy.oneshot))
    except TimeoutError:
        states = {
            name: f"{runner.task.state} ({runner.task.reason})"
            for name, runner in runners.items()
            if not settled(runner.task, oneshot=runner.spec.policy.oneshot)
        }
        raise TimedOut(f"readiness of {', '.join(states)}", limit or 0, states) from None
