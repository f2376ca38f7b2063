"""A plugin at work, on an event loop of its own in a thread of its own.

What it awaits is limited in time. What it does without awaiting, a sleep or a library that
waits for a network, holds up nobody else: its thread can be left behind.

The two loops speak through two doors, neither of which waits. `_post` leaves work for the other
thread and rings its bell, a socket; `_here` has something done on our loop.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from threading import Thread
from typing import Any, ParamSpec, TypeVar

import anyio
from anyio import (
    CancelScope,
    RunFinishedError,
    create_task_group,
    from_thread,
    get_cancelled_exc_class,
    move_on_after,
    to_thread,
)
from anyio.lowlevel import current_token

from .calls import LIMIT, guarded
from .outcome import Outcome

T = TypeVar("T")
P = ParamSpec("P")

Ended = Callable[[BaseException], None]
"""Told, on our loop, why what was entered has ended by itself."""


class Apart:
    """The thread of one plugin; see `apart`. What has no `_` before it is for our own loop."""

    def __init__(self, plugin: str) -> None:
        self.plugin = plugin
        self._token = current_token()
        self._work: deque[Callable[[], Coroutine[Any, Any, None]] | None] = deque()
        """What is left for the other thread; None ends it."""

        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._gone = anyio.Event()
        self._errands: dict[CancelScope, anyio.Event] = {}
        """What is done on our loop for the other one; each is set when it is over."""

        self._asked: set[Outcome[Any]] = set()
        """What is not known yet: it never will be when the other loop ends."""

        self._over: anyio.Event | None = None
        self._life: Outcome[None] | None = None
        self._ending = False

    @property
    def gone(self) -> bool:
        """Whether its loop has ended; nothing can be asked of it then."""
        return self._gone.is_set()

    def start(self) -> None:
        """Begin. Raises `RuntimeError` if there is no thread for it."""
        Thread(target=self._run, name=f"plugin {self.plugin}", daemon=True).start()

    async def call(
        self, doing: str, function: Callable[[], Awaitable[T]], limit: float = LIMIT
    ) -> T:
        """Return what `function` returns over there; every failure is a `PluginFailed`.

        `doing` completes "… could not ".
        """
        async with guarded(self.plugin, doing, limit):
            return await self.do(function)

    async def do(self, function: Callable[[], Awaitable[T]]) -> T:
        """Return what `function` returns over there, or raise what it raises."""
        outcome = Outcome[T]()
        await self._perform(function, outcome, outcome.known)
        return outcome.get()

    def brought_home(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Return what does, awaited over there, what `function` does on our loop."""

        async def away(*args: P.args, **kwargs: P.kwargs) -> T:
            scope = CancelScope()

            async def here() -> T:
                over = self._errands[scope] = anyio.Event()
                try:
                    with scope:
                        return await function(*args, **kwargs)
                    raise RuntimeError("nobody waits for it any more")
                finally:
                    del self._errands[scope]
                    over.set()

            wait = partial(from_thread.run, here, token=self._token)
            try:
                return await to_thread.run_sync(wait, abandon_on_cancel=True)
            except get_cancelled_exc_class():
                self._here(scope.cancel)
                raise

        return away

    async def enter(
        self,
        doing: str,
        opening: Callable[[], AbstractAsyncContextManager[T]],
        ended: Ended,
        limit: float = LIMIT,
    ) -> T:
        """Enter a context over there, one for each `Apart`, and return what it yields.

        It is left when this ends. Raises `PluginFailed` if it cannot be entered.
        """
        entered = Outcome[T]()

        def over() -> None:
            if not entered.known.is_set():
                entered.settle(life.raised)
            elif not self._ending:
                ended(life.raised or RuntimeError("it has ended by itself"))

        life = Outcome[None](over)
        async with guarded(self.plugin, doing, limit):
            await self._perform(partial(self._live, opening, entered), life, entered.known)
            value = entered.get()
        self._life = life
        return value

    async def end(self, limit: float) -> None:
        """Leave what was entered, and end; what takes longer than `limit` is left behind."""
        self._ending = True
        with CancelScope(shield=True), move_on_after(limit):
            if self._life is not None:
                self._post(self._leave)
                await self._life.known.wait()
            self._post(None)
            await self._gone.wait()
        self._post(None)
        with CancelScope(shield=True):
            for scope, over in list(self._errands.items()):
                scope.cancel()
                await over.wait()
        self._bell.close()

    async def _perform(
        self, function: Callable[[], Awaitable[T]], outcome: Outcome[T], enough: anyio.Event
    ) -> None:
        """Have `function` done over there, and wait for `enough`; cancelled, cancel that."""
        if self.gone:
            raise RuntimeError("its thread has ended")
        work = partial(self._do, function, outcome)
        self._asked.add(outcome)
        self._post(work)
        try:
            await enough.wait()
        except BaseException:
            try:
                self._work.remove(work)
            except ValueError:  # it was begun, or has just been
                self._post(partial(_cancel, outcome))
            else:  # a thread that is stuck must not pile it up
                self._asked.discard(outcome)
            raise

    def _post(self, work: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        self._work.append(work)
        with suppress(OSError):  # rung often enough already, or nobody is there any more
            self._bell.send(b"\0")

    def _settle(self, outcome: Outcome[Any]) -> None:
        self._asked.discard(outcome)
        outcome.settle()

    def _finish(self, why: BaseException) -> None:
        self._gone.set()
        for outcome in tuple(self._asked):
            outcome.settle(why)
        self._asked.clear()

    def _here(self, work: Callable[[], object]) -> None:
        with suppress(RunFinishedError):  # our loop has ended, and nobody waits any more
            from_thread.run_sync(work, token=self._token)

    # From here on, on the loop over there.

    def _run(self) -> None:
        why: BaseException = RuntimeError("its thread has ended")
        try:
            with self._ear:
                anyio.run(self._serve, backend_options={"use_uvloop": True})
        except BaseException as error:  # noqa: BLE001 (a thread has no caller: told on our loop)
            why = error
        self._here(partial(self._finish, why))

    async def _serve(self) -> None:
        async with create_task_group() as group:
            while True:
                await anyio.wait_readable(self._ear)
                with suppress(BlockingIOError):
                    self._ear.recv(4096)
                while self._work:
                    work = self._work.popleft()
                    if work is None:
                        group.cancel_scope.cancel()
                        return
                    group.start_soon(work)

    async def _do(self, function: Callable[[], Awaitable[T]], outcome: Outcome[T]) -> None:
        try:
            with outcome.scope:
                outcome.returned.append(await function())
        except get_cancelled_exc_class():
            pass  # it ends here anyway; raised on, one of the plugin's own would end the thread
        except BaseException as error:  # noqa: BLE001 (raised again on our loop)
            outcome.raised = error
        finally:
            self._here(partial(self._settle, outcome))

    async def _live(
        self, opening: Callable[[], AbstractAsyncContextManager[T]], entered: Outcome[T]
    ) -> None:
        self._over = anyio.Event()
        async with opening() as value:
            entered.returned.append(value)
            self._here(entered.settle)
            await self._over.wait()

    async def _leave(self) -> None:
        assert self._over is not None, "left before it was entered"
        self._over.set()


@asynccontextmanager
async def apart(plugin: str, limit: float = LIMIT) -> AsyncIterator[Apart]:
    """Yield a thread for what `plugin` does; on leaving, it has ended or is left behind.

    Raises `PluginFailed` if there is none to be had.
    """
    one = Apart(plugin)
    async with guarded(plugin, "be given a thread"):
        one.start()
    try:
        yield one
    finally:
        await one.end(limit)


async def _cancel(outcome: Outcome[T]) -> None:
    outcome.scope.cancel()
