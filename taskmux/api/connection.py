"""One connection's life, whatever carries it: requests in, answers and pushes out."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import anyio
from anyio import (
    BrokenResourceError,
    CancelScope,
    ClosedResourceError,
    EndOfStream,
    WouldBlock,
    create_task_group,
    move_on_after,
)
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from taskmux.errors import BadRequest, Internal, NothingLeft, TaskmuxError, ungrouped
from taskmux.scarcity import described, scarce
from taskmux.wire import Report, Request, Subscribe

from . import messages
from .desk import Desk
from .messages import Envelope
from .reception import Guest

log = logging.getLogger("taskmux.api")

GONE = (BrokenResourceError, ClosedResourceError, OSError)
"""What a stream raises when there is nobody at its other end any more."""


class Channel(Protocol):
    """What carries whole messages."""

    async def receive(self) -> bytes | str:
        """Return the next message.

        Raises `BadRequest` for one that cannot be taken, after which the next can
        be; `EndOfStream` when no more will come; one of `GONE` when all is over.
        """

    async def send(self, *messages: bytes) -> None:
        """Send messages, one after another. Raises one of `GONE` if nobody is there."""

    async def hung_up(self) -> None:
        """Return once nobody can be there any more; called while nothing is received.

        Need not return where the system can't tell, except after `EndOfStream`.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one connection may take up."""

    in_flight: int = 64
    """Requests that are being answered; after that many, reading waits."""

    receive: float = 10.0
    """Seconds from the first byte of a line to its last."""

    subscriptions: int = 16
    idle: float = 1.0
    """Seconds it keeps its place without asking for anything while others want it."""

    send: float = 10.0
    """Seconds a message may take to leave; a reader slower than that is dropped."""


class Connection:
    """Answers what comes in over `channel` until its other end is gone.

    Requests are answered as they are ready, not in the order they came in. A
    client that goes away ends the waits of its requests; the work is the desk's.
    `log_path` is where people are sent after a defect of ours. `guest` is told
    while anything is asked.
    """

    def __init__(
        self,
        channel: Channel,
        desk: Desk,
        log_path: Path,
        limits: Limits | None = None,
        guest: Guest | None = None,
    ) -> None:
        self._channel = channel
        self._guest = guest or Guest()
        self._desk = desk
        self._log_path = log_path
        self._limits = limits or Limits()
        self._places = anyio.Semaphore(self._limits.in_flight)
        self._subscriptions = 0
        self._writing = anyio.Lock()
        self._scope = CancelScope()

    async def serve(self) -> None:
        """Answer until nobody is there. Raises nothing but cancellation."""
        with self._scope:
            async with create_task_group() as outer:
                async with create_task_group() as requests:
                    await self._read(requests)
                    outer.start_soon(self._end_when_hung_up)
                outer.cancel_scope.cancel()

    async def _read(self, group: TaskGroup) -> None:
        while True:
            try:
                message = await self._channel.receive()
            except BadRequest as error:
                await self._send(messages.refusal(Envelope(), error))
            except EndOfStream:
                return
            except GONE:
                self._scope.cancel()
                return
            else:
                await self._take_place()
                group.start_soon(self._take, message)

    async def _take_place(self) -> None:
        """Wait until the next request may be worked on, or the client is gone."""
        try:
            self._places.acquire_nowait()
        except WouldBlock:
            async with create_task_group() as group:
                group.start_soon(self._end_when_hung_up)
                await self._places.acquire()
                group.cancel_scope.cancel()

    async def _end_when_hung_up(self) -> None:
        await self._channel.hung_up()
        self._scope.cancel()

    async def _take(self, message: bytes | str) -> None:
        envelope = Envelope()
        with self._guest.served(), ExitStack() as place:
            place.callback(self._places.release)
            place.enter_context(self._desk.asked())
            try:
                envelope = messages.read(message)
                await self._fulfil(envelope, envelope.request(), place)
            except Exception as error:  # the request door: a defect is answered like anything else
                refusal = _worded(ungrouped(error))
                if refusal is None:
                    log.exception("%s failed", envelope.command)
                    refusal = Internal(str(self._log_path))
                await self._send(messages.refusal(envelope, refusal))

    async def _fulfil(self, envelope: Envelope, request: Request, place: ExitStack) -> None:
        if not isinstance(request, Subscribe):
            report = await self._desk.answer(request)
            await self._send(messages.answer(envelope, report))
            return
        if self._subscriptions >= self._limits.subscriptions:
            most = self._limits.subscriptions
            raise BadRequest(f"a connection may have {most} subscriptions at most", hint=None)
        self._subscriptions += 1
        try:
            await self._stream(envelope, request, place)
        finally:
            self._subscriptions -= 1

    async def _stream(self, envelope: Envelope, request: Subscribe, place: ExitStack) -> None:
        async with self._desk.subscribe(request) as pushes:
            await self._send(messages.answer(envelope, Report()))
            place.close()  # a stream may last for ever, and keeps no request waiting
            async for push in pushes:
                await self._send(*messages.pushes(push))

    async def _send(self, *together: bytes) -> None:
        # Shielded: half a message would ruin every one after it, and the last
        # answer of a daemon that ends is still to be heard.
        with CancelScope(shield=True):
            async with self._writing:
                if not self._scope.cancel_called:
                    await self._write(*together)
        # A stream that is never empty must still notice that it is over.
        await checkpoint_if_cancelled()

    async def _write(self, *together: bytes) -> None:
        try:
            with move_on_after(self._limits.send) as limit:
                await self._channel.send(*together)
        except GONE:
            self._scope.cancel()
        if limit.cancelled_caught:
            log.warning("dropped a client that did not read for %g s", self._limits.send)
            self._scope.cancel()


def _worded(error: Exception) -> TaskmuxError | None:
    """Return what a client is told of a failure; None if it is a defect of ours."""
    if isinstance(error, OSError) and scarce(error):
        return NothingLeft(described(error))
    return error if isinstance(error, TaskmuxError) else None
