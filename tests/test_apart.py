from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
import pytest

from taskmux.errors import PluginFailed
from taskmux.plugins import failure
from taskmux.plugins.apart import apart


async def ident() -> int:
    await anyio.lowlevel.checkpoint()  # nobody gets beyond this in a thread that is ending
    return threading.get_ident()


async def test_what_a_plugin_does_is_done_elsewhere() -> None:
    async with apart("p") as there:
        assert await there.call("answer", ident) != threading.get_ident()


async def fail() -> None:
    raise ValueError("it is broken")


async def leave() -> None:
    sys.exit(3)


class Unheard(BaseException):
    """Nobody can know of it."""


async def interrupt() -> None:
    raise KeyboardInterrupt


async def surprise() -> None:
    raise Unheard("boo")


async def cancel() -> None:
    raise anyio.get_cancelled_exc_class()


async def wait() -> None:
    await anyio.sleep_forever()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (fail, "p could not answer: it is broken"),
        (leave, "p could not answer: SystemExit: 3"),
        (interrupt, "p could not answer: KeyboardInterrupt"),
        (surprise, "p could not answer: boo"),
        (cancel, "p could not answer: it cancelled what it was asked for"),
        (wait, "p could not answer: no answer within 0.1 s"),
    ],
)
async def test_whatever_goes_wrong_is_told_and_costs_nobody_else_anything(
    function: object, said: str
) -> None:
    async with apart("p") as there:
        limit = 0.1 if function is wait else 30
        with pytest.raises(PluginFailed) as failed:
            await there.call("answer", function, limit)  # type: ignore[arg-type]
        assert str(failed.value) == said
        assert await there.call("answer", ident) != threading.get_ident()


async def test_one_that_never_awaits_holds_up_nobody_and_is_left_behind() -> None:
    asleep, wake = threading.Event(), threading.Event()

    async def block() -> None:
        asleep.set()
        wake.wait()

    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await anyio.sleep(0.01)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(beat)
            async with apart("p", limit=0.3) as there:
                with pytest.raises(PluginFailed, match="no answer within"):
                    await there.call("answer", block, limit=0.3)
                assert asleep.is_set()
                assert beats > 3
            group.cancel_scope.cancel()
    finally:
        wake.set()


class Story:
    """A context that tells what became of it."""

    def __init__(self, fault: str = "") -> None:
        self.told: list[str] = []
        self.fault = fault
        self.crash = anyio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Story]:
        self.crash = anyio.Event()
        if self.fault == "opening":
            raise OSError("port 5454 is taken")
        if self.fault == "never opening":
            await anyio.sleep_forever()
        async with anyio.create_task_group() as group:
            group.start_soon(self._crash, group.cancel_scope)
            try:
                self.told.append("opened")
                yield self
            finally:
                self.told.append("left")
                if self.fault == "never leaving":
                    with anyio.CancelScope(shield=True):
                        await anyio.sleep_forever()
            group.cancel_scope.cancel()

    async def _crash(self, scope: anyio.CancelScope) -> None:
        await self.crash.wait()
        if self.fault == "exiting":
            sys.exit(5)
        if self.fault != "leaving by itself":
            raise ValueError("crashed")
        scope.cancel()

    async def crash_now(self) -> None:
        self.crash.set()


async def test_a_context_lives_there_until_it_is_left() -> None:
    story = Story()
    why: list[BaseException] = []
    async with apart("p") as there:
        assert await there.enter("open", story.open, why.append) is story
        assert story.told == ["opened"]
    assert (story.told, why) == (["opened", "left"], [])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("opening", "p could not open: port 5454 is taken"),
        ("never opening", "p could not open: no answer within 0.2 s"),
    ],
)
async def test_a_context_that_cannot_be_entered_says_why(fault: str, said: str) -> None:
    async with apart("p", limit=0.2) as there:
        with pytest.raises(PluginFailed) as failed:
            await there.enter("open", Story(fault).open, lambda why: None, limit=0.2)
        assert str(failed.value) == said


async def test_a_context_that_ends_by_itself_is_told_of() -> None:
    story = Story()
    why: list[BaseException] = []
    heard = anyio.Event()

    def ended(error: BaseException) -> None:
        why.append(error)
        heard.set()

    async with apart("p") as there:
        await there.enter("open", story.open, ended)
        await there.call("crash", story.crash_now)
        with anyio.fail_after(10):
            await heard.wait()
    [group] = why
    assert isinstance(group, ExceptionGroup)
    assert str(group.exceptions[0]) == "crashed"


@pytest.mark.parametrize(
    ("fault", "said"),
    [("leaving by itself", "it has ended by itself"), ("exiting", "SystemExit: 5")],
)
async def test_a_context_that_ends_its_own_way_is_told_of(fault: str, said: str) -> None:
    story, heard = Story(fault), anyio.Event()
    why: list[BaseException] = []

    def ended(error: BaseException) -> None:
        why.append(error)
        heard.set()

    with anyio.fail_after(10):
        async with apart("p") as there:
            await there.enter("open", story.open, ended)
            await there.do(story.crash_now)
            await heard.wait()
            with suppress(PluginFailed):  # the whole thread may have ended
                await there.call("answer", ident)
    assert [str(failure("p", "go on", error)) for error in why] == [f"p could not go on: {said}"]


async def test_a_context_that_is_never_left_is_left_behind() -> None:
    story = Story("never leaving")
    with anyio.fail_after(10):
        async with apart("p", limit=0.2) as there:
            await there.enter("open", story.open, lambda why: None)
    assert story.told == ["opened", "left"]
