from __future__ import annotations

import anyio
import pytest
from anyio import create_task_group, wait_all_tasks_blocked

from taskmux.api.commands import Gate
from taskmux.errors import DaemonEnding, DaemonRenewing

PATIENT = 60.0


class Request:
    """One that waits until it is let go, is told to go, and whose answer takes its time."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.go, self.read = anyio.Event(), anyio.Event()
        self.told = self.answered = False

    async def __call__(self) -> None:
        with self.gate.asked():
            with self.gate.inside() as scope:
                await self.go.wait()
            self.told = scope.cancelled_caught
            await self.read.wait()
            self.answered = True


async def test_it_is_clear_when_all_but_the_asker_have_their_answers() -> None:
    gate, cleared = Gate(), anyio.Event()
    one, other = Request(gate), Request(gate)

    async def clear() -> None:
        with gate.asked():
            await gate.clear(PATIENT)
            cleared.set()

    async with create_task_group() as group:
        for task in (one, other, clear):
            group.start_soon(task)
        await wait_all_tasks_blocked()
        for request in (one, other):
            request.go.set()
            await wait_all_tasks_blocked()
            assert not cleared.is_set()
            request.read.set()
        await cleared.wait()
    assert (one.told, one.answered, other.answered) == (False, True, True)


async def test_who_waits_too_long_is_told_and_still_has_his_answer() -> None:
    gate = Gate()
    waiting, slow = Request(gate), Request(gate)
    waiting.read.set()
    slow.go.set()
    async with create_task_group() as group:
        group.start_soon(waiting)
        group.start_soon(slow)
        await wait_all_tasks_blocked()
        with gate.asked():
            await gate.clear(0.01)
        assert (waiting.told, waiting.answered) == (True, True)
        assert (slow.told, slow.answered) == (False, False)
        slow.read.set()


def test_the_first_reason_counts_and_only_a_restart_passes() -> None:
    gate = Gate()
    gate.close(DaemonRenewing(begun=False))
    with pytest.raises(DaemonRenewing):
        gate.check()
    gate.reopen()
    gate.check()
    gate.close(DaemonEnding(7))
    gate.close(DaemonRenewing(begun=False))
    gate.reopen()
    with pytest.raises(DaemonEnding):
        gate.check()
