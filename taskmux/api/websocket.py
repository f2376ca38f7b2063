"""The door for everybody else on this machine: a WebSocket on the loopback addresses."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path

import anyio
from anyio import EndOfStream, create_task_group, move_on_after
from anyio.abc import Listener, SocketAttribute, SocketListener, SocketStream
from websockets.http11 import Request

from taskmux.errors import NotAllowed
from taskmux.scarcity import room
from taskmux.threads import in_thread_or_here

from .access import Rules, Visitor, objection
from .connection import GONE, Connection, Limits
from .desk import Desk
from .frames import PULSE, Frames
from .handshake import Objection, refusal, shake_hands, turn_away
from .reception import Guest, Listening, Reception
from .token import Token

log = logging.getLogger("taskmux.api")

MOST = 64
"""Connections at a time; fewer where these would take more than an eighth of our descriptors."""

HANDSHAKE = 10.0
"""Seconds from the connection to the open WebSocket."""

Address = tuple[str, int]
PeerUid = Callable[[Address, Address], int | None]
"""Returns the user of the other end, given this end's address and that one's."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may take, in seconds."""

    handshake: float = HANDSHAKE
    pulse: float = PULSE


@asynccontextmanager
async def open_websocket_door(
    port: int | Listening,
    desk: Desk,
    log_path: Path,
    *,
    token: Token,
    peer_uid: PeerUid,
    limits: Limits | None = None,
    patience: Patience | None = None,
    most: int = MOST,
) -> AsyncIterator[Reception]:
    """Answer on `port` of 127.0.0.1 and ::1 while inside, to `most` connections at a time.

    0 takes any port. Where somebody was `Listening` before, go on there. Raises `OSError`
    if the port is taken on either address.
    """
    async with AsyncExitStack() as stack:
        listeners = await _open(port, stack)
        port = listeners[0].extra(SocketAttribute.local_port)
        limits = limits or Limits()
        visits = _Visits(
            Rules(port, os.getuid(), token),
            peer_uid,
            lambda frames, guest: Connection(frames, desk, log_path, limits, guest),
            patience or Patience(),
        )
        most = room(most, 8)
        turn_away = partial(_turn_away, most)
        reception = Reception(listeners, visits.visit, turn_away, most, limits.idle)
        async with create_task_group() as group:
            group.start_soon(reception.serve)
            yield reception
            group.cancel_scope.cancel()


@dataclass(frozen=True, slots=True)
class _Visits:
    rules: Rules
    peer_uid: PeerUid
    connect: Callable[[Frames, Guest], Connection]
    patience: Patience

    async def visit(self, stream: SocketStream, guest: Guest) -> None:
        protocol = None
        with move_on_after(self.patience.handshake), suppress(EndOfStream, *GONE):
            protocol = await shake_hands(stream, partial(self._judge, stream))
        if protocol is None:
            return
        frames = Frames(stream, protocol, self.patience.pulse)
        try:
            await self.connect(frames, guest).serve()
        finally:
            await frames.farewell()

    async def _judge(self, stream: SocketStream, request: Request) -> Objection | None:
        ends = stream.extra(SocketAttribute.raw_socket)
        local, peer = ends.getsockname()[:2], ends.getpeername()[:2]
        visitor = Visitor(
            hosts=request.headers.get_all("Host"),
            origins=request.headers.get_all("Origin"),
            authorizations=request.headers.get_all("Authorization"),
            address=peer[0],
            uid=await in_thread_or_here(partial(self.peer_uid, local, peer)),
        )
        return objection(visitor, self.rules)


async def _turn_away(most: int, stream: SocketStream) -> None:
    error = NotAllowed(f"{most} connections are open already, all of them at work")
    await turn_away(stream, refusal(HTTPStatus.SERVICE_UNAVAILABLE, error))


async def _open(where: int | Listening, stack: AsyncExitStack) -> list[Listener[SocketStream]]:
    if isinstance(where, int):
        return await _listen(where, stack)
    found = [await SocketListener.from_socket(descriptor) for descriptor in where.descriptors]
    return [await stack.enter_async_context(listener) for listener in found]


async def _listen(port: int, stack: AsyncExitStack) -> list[Listener[SocketStream]]:
    """Return a listener for each loopback address there is; the first one settles the port."""
    first = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    await stack.enter_async_context(first)
    port = first.extra(SocketAttribute.local_port)
    try:
        second = await anyio.create_tcp_listener(local_host="::1", local_port=port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:  # `localhost` would lead to a stranger
            raise
        log.info("no WebSocket on ::1: %s", error)
        return [*first.listeners]
    await stack.enter_async_context(second)
    return [*first.listeners, *second.listeners]
