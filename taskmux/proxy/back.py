"""Connections to tasks, kept for the next request."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from anyio.abc import TaskGroup

from . import responses
from .bodies import UNTIL_CLOSE, Body
from .exchange import Exchange
from .fields import Malformed
from .pipe import Pipe

LOOPBACKS = ("127.0.0.1", "::1")
"""A task may listen on either: Node takes what `localhost` means first, which is often ::1."""

MOST = 4096
"""Connections to all tasks. One browser's may ask for many things at a time."""

MOST_IDLE = 32
"""Connections to one port that wait for a request."""

MOST_PRELIMINARY = 100
"""Answers before the answer: `102 Processing` may be said every few seconds for minutes."""

IDLE = 4.0
"""Seconds they wait. Servers made with Node hang up after five: then nobody races them."""

log = logging.getLogger("taskmux.proxy")

Suspect = Callable[[str, int], str]
"""Returns why nothing is to be said to who listens there; empty if nothing is wrong."""


class Back(Pipe):
    """One connection to a task."""

    def __init__(self, pool: Pool, port: int) -> None:
        super().__init__()
        self.port = port
        self.since = 0.0
        """When it began to wait, on the loop's clock."""

        self._pool = pool
        self._exchange: Exchange | None = None
        self._received = b""
        self._seen = 0
        """Bytes of what was received that are known not to hold the end of a head."""

        self._preliminary = 0
        self._body: Body | None = None
        self._persistent = True

    @property
    def usable(self) -> bool:
        """Whether it is still open, as far as is known."""
        return self.transport is not None and not self.transport.is_closing()

    def carry(self, exchange: Exchange, *, reused: bool) -> None:
        """Be the line of an exchange."""
        self._exchange = exchange
        exchange.connected(self, reused=reused)

    def received(self, data: bytes) -> None:
        """Read an answer."""
        self._received = self._received + data if self._received else data
        exchange = self._exchange
        if exchange is None:
            self.abort()  # nobody asked for anything
            return
        try:
            while self._exchange is exchange and self._received:
                if not self._step(exchange):
                    break
        except Malformed as error:
            self._break(f"its answer is malformed: {error}")
        if exchange.asker is not None:
            exchange.asker.flush()

    def _step(self, exchange: Exchange) -> bool:
        """Take the next part of an answer; return whether there may be another one."""
        if self._body is None and not self._begin(exchange):
            return False
        body = self._body
        if body is None:
            return True  # another answer follows
        if not body.done:
            piece, self._received = body.feed(self._received)
            if piece and exchange.asker is not None:
                exchange.asker.carried(piece)
        if body.done:
            self._finish(exchange, body)
        return True

    def _begin(self, exchange: Exchange) -> bool:
        """Read a head; return whether it was whole, and there is something to read after it."""
        found = responses.find(self._received, exchange.request.method, self._seen)
        if found is None:
            self._seen = len(self._received)
            return False
        (response, self._received), self._seen = found, 0
        if response.status == 101:
            self._switch(exchange, response)
            return False
        exchange.answered(response)
        if response.preliminary:
            self._preliminary += 1
            if self._preliminary > MOST_PRELIMINARY:
                raise Malformed("preliminary answers come without end")
            return True
        self._preliminary = 0
        self._body, self._persistent = Body(response.framing), response.persistent
        return True

    def _switch(self, exchange: Exchange, response: responses.Response) -> None:
        if not exchange.request.upgrade:
            raise Malformed("it changes to a protocol that nobody asked for")
        self._exchange, rest, self._received = None, self._received, b""
        exchange.switched(response, self, rest)

    def _finish(self, exchange: Exchange, body: Body) -> None:
        self._exchange = self._body = None
        if self._persistent and exchange.sent and not self._received:
            self.resume()
            self._pool.keep(self)
        else:
            self.close()
        exchange.finished(body.trailers)

    def _break(self, why: str) -> None:
        exchange, self._exchange = self._exchange, None
        self.abort()
        if exchange is not None:
            exchange.failed(why, reached=True)

    def full(self) -> None:
        """Have no more of the request sent."""
        if self._exchange is not None and self._exchange.asker is not None:
            self._exchange.asker.hold()

    def drained(self) -> None:
        """Have more of it sent."""
        if self._exchange is not None and self._exchange.asker is not None:
            self._exchange.asker.go_on()

    def gone(self, error: Exception | None) -> None:
        """Tell who waits for an answer; some end with the connection."""
        self._pool.forget(self)
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        if error is None and self._body is not None and self._body.framing == UNTIL_CLOSE:
            exchange.finished([])
        else:
            exchange.lost("it hung up before its answer was whole")


class Pool:
    """The connections to all tasks. `group` is where new ones are made."""

    def __init__(self, group: TaskGroup, most: int = MOST, suspect: Suspect | None = None) -> None:
        self._suspect = suspect
        self._group = group
        self._most = most
        self._open = 0
        """Connections that are made, or being made."""

        self._loop = asyncio.get_running_loop()
        self._idle: defaultdict[int, list[Back]] = defaultdict(list)
        self._family: dict[int, str] = {}
        """Where a port was found the last time."""

        self._sweep: asyncio.TimerHandle | None = None

    def take(self, exchange: Exchange, port: int, *, fresh: bool) -> None:
        """Connect an exchange with who listens on a port."""
        waiting = self._idle.get(port)
        while waiting and not fresh:
            back = waiting.pop()
            if back.usable:
                back.carry(exchange, reused=True)
                return
        if self._open >= self._most and not self._close_one():
            why = f"{self._most} connections to tasks are open already"
            self._loop.call_soon(partial(exchange.failed, why, reached=False))
            return
        self._open += 1
        self._group.start_soon(self._dial, exchange, port)

    def keep(self, back: Back) -> None:
        """Have a connection wait for the next request."""
        waiting = self._idle[back.port]
        if len(waiting) >= MOST_IDLE or not back.usable:
            back.close()
            return
        back.since = self._loop.time()
        waiting.append(back)
        if self._sweep is None:
            self._sweep = self._loop.call_later(IDLE, self._close_idle)

    def forget(self, back: Back) -> None:
        """Let go of a connection that is closed."""
        self._open -= 1
        waiting = self._idle.get(back.port)
        if waiting and back in waiting:
            waiting.remove(back)

    def close(self) -> None:
        """Close all that wait."""
        if self._sweep is not None:
            self._sweep.cancel()
        for back in [back for waiting in self._idle.values() for back in waiting]:
            back.abort()

    def _close_one(self) -> bool:
        for waiting in self._idle.values():
            if waiting:
                waiting.pop(0).abort()
                return True
        return False

    def _close_idle(self) -> None:
        self._sweep = None
        now = self._loop.time()
        for port, waiting in list(self._idle.items()):
            for back in [back for back in waiting if back.since + IDLE <= now]:
                waiting.remove(back)
                back.close()
            if not waiting:
                del self._idle[port]
        if self._idle:
            first = min(back.since for waiting in self._idle.values() for back in waiting)
            self._sweep = self._loop.call_at(first + IDLE, self._close_idle)

    async def _dial(self, exchange: Exchange, port: int) -> None:
        try:
            found = await self._connect(port)
            if isinstance(found, Back):
                found.carry(exchange, reused=False)
            else:
                exchange.failed(found, reached=False)
        except Exception:  # it would end the proxy, and with it all else that is asked
            log.exception("a request to port %d is broken off", port)
            exchange.break_off()

    async def _connect(self, port: int) -> Back | str:
        """Return a connection to who listens, or why there is none."""
        known = self._family.get(port, LOOPBACKS[0])
        trouble = ""
        for address in (known, *(other for other in LOOPBACKS if other != known)):
            try:
                make = partial(Back, self, port)
                _, back = await self._loop.create_connection(make, address, port)
            except OSError as error:
                trouble = trouble or f"nobody answers there: {error.strerror or error}"
                continue
            # Looked at when it is connected: whoever it is now has heard nothing yet.
            if why := self._suspected(back, address):
                self._open += 1  # closed, it is counted off once more
                trouble = why
                continue
            self._family[port] = address
            return back
        self._open -= 1
        self._family.pop(port, None)
        return trouble

    def _suspected(self, back: Back, address: str) -> str:
        """Return why nothing may be said to who is there, having hung up."""
        why = "unknown"
        try:
            why = "" if self._suspect is None else self._suspect(address, back.port)
        finally:
            if why:
                back.abort()
        return why
