from __future__ import annotations

import anyio
import pytest
from anyio import CancelScope, create_task_group, wait_all_tasks_blocked

from taskmux.lifecycle import Cleared, Event
from taskmux.runner.errands import Errands


class Errand:
    """Work that ends when it is let go, and takes its time to leave."""

    def __init__(self, number: int) -> None:
        self.event = Cleared(number)
        self.go, self.leave = anyio.Event(), anyio.Event()
        self.begun = self.left = False

    async def __call__(self) -> Event:
        self.begun = True
        try:
            await self.go.wait()
        except BaseException:
            with CancelScope(shield=True):
                await self.leave.wait()
            raise
        finally:
            self.left = True
        return self.event


@pytest.fixture
def heard() -> list[Event]:
    return []


async def test_reports_what_comes_back(heard: list[Event]) -> None:
    errands, first, second = Errands(heard.append), Errand(1), Errand(2)
    async with create_task_group() as group:
        errands.begin(group, "a", first)
        errands.begin(group, "b", second)
        second.go.set()
        await wait_all_tasks_blocked()
        first.go.set()
    assert heard == [second.event, first.event]


async def test_the_newest_of_a_kind_begins_when_the_one_before_is_gone(heard: list[Event]) -> None:
    errands, old, new = Errands(heard.append), Errand(1), Errand(2)
    async with create_task_group() as group:
        errands.begin(group, "a", old)
        await wait_all_tasks_blocked()
        errands.begin(group, "a", new)
        await wait_all_tasks_blocked()
        assert (old.left, new.begun) == (False, False)
        old.leave.set()
        await wait_all_tasks_blocked()
        assert (old.left, new.begun) == (True, True)
        new.go.set()
    assert heard == [new.event]


async def test_one_given_up_before_its_first_turn_never_begins(heard: list[Event]) -> None:
    errands, errand = Errands(heard.append), Errand(1)
    async with create_task_group() as group:
        errands.begin(group, "a", errand)
        errands.give_up("a", "b")
    assert (errand.begun, heard) == (False, [])


async def test_one_given_up_as_it_comes_back_is_not_heard(heard: list[Event]) -> None:
    errands, errand = Errands(heard.append), Errand(1)
    async with create_task_group() as group:
        errands.begin(group, "a", errand)
        await wait_all_tasks_blocked()
        errand.go.set()
        errands.give_up("a")
        errand.leave.set()
    assert (errand.left, heard) == (True, [])


async def test_settles_when_all_that_was_given_up_is_gone(heard: list[Event]) -> None:
    errands, errand, other = Errands(heard.append), Errand(1), Errand(2)
    async with create_task_group() as group:
        await errands.settle()
        errands.begin(group, "a", errand)
        errands.begin(group, "b", other)
        await wait_all_tasks_blocked()
        errands.give_up("a")
        group.start_soon(_leave, errand)
        await errands.settle()
        assert (errand.left, other.left) == (True, False)
        other.go.set()


async def _leave(errand: Errand) -> None:
    errand.leave.set()


async def test_an_errand_may_send_the_next_of_its_kind() -> None:
    heard: list[Event] = []
    first, second = Errand(1), Errand(2)
    async with create_task_group() as group:

        def report(event: Event) -> None:
            heard.append(event)
            if event == first.event:
                errands.begin(group, "a", second)

        errands = Errands(report)
        errands.begin(group, "a", first)
        first.go.set()
        second.go.set()
    assert heard == [first.event, second.event]


async def test_over_are_all_but_some_kinds_even_those_given_up(heard: list[Event]) -> None:
    errands, kept, done, left = Errands(heard.append), Errand(1), Errand(2), Errand(3)
    over = anyio.Event()

    async def await_it() -> None:
        await errands.over(but={"kept"})
        over.set()

    async with create_task_group() as group:
        for kind, errand in {"kept": kept, "done": done, "left": left}.items():
            errands.begin(group, kind, errand)
        await wait_all_tasks_blocked()
        errands.give_up("left")
        group.start_soon(await_it)
        for let_go in (done.go, left.leave):
            await wait_all_tasks_blocked()
            assert not over.is_set()
            let_go.set()
        await over.wait()
        assert not kept.left
        kept.go.set()
    assert heard == [done.event, kept.event]
