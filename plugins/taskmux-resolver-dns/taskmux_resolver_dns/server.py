"""The DNS server: takes queries by UDP and TCP, and answers each at once.

A query is answered in one go, and between two of one socket everybody else has their turn. So
however many come, each costs others no more than one answer's time; what the kernel cannot keep
is lost, and whoever asked asks again.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from logging import Logger

import anyio
from anyio import (
    BrokenResourceError,
    CancelScope,
    ClosedResourceError,
    EndOfStream,
    IncompleteRead,
    create_task_group,
)
from anyio.abc import SocketListener, SocketStream, TaskGroup, UDPSocket
from anyio.streams.buffered import BufferedByteReceiveStream

from .answer import Transport
from .sockets import Sockets

MOST_CONNECTIONS = 32
"""Whoever comes then gets the place of the one that has been silent longest."""

MOST_BYTES = 4096
"""Of a query by TCP. A longer one ends its connection: nobody asks at such length."""

PATIENCE = 10.0
"""Seconds for the next query to come whole, and for an answer to be taken."""

PAUSE = 0.1
"""Seconds to the next try when no connection can be taken in, as files have run out."""

_SCARCE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

Answering = Callable[[bytes, Transport], bytes | None]


class Server:
    """Answers what comes by some sockets, by what `answering` says."""

    def __init__(self, answering: Answering, log: Logger, patience: float = PATIENCE) -> None:
        self._answering = answering
        self._log = log
        self._patience = patience
        self._connections: dict[CancelScope, None] = {}
        """Of every connection; those silent longest come first."""

        self._stuck = False

    async def serve(self, sockets: Sockets) -> None:
        """Answer until cancelled. The sockets are closed by whoever bound them."""
        async with create_task_group() as group:
            for udp in sockets.udp:
                group.start_soon(self._answer_datagrams, udp.dup())
            for tcp in sockets.tcp:
                group.start_soon(self._take_in, tcp.dup(), group)

    async def _answer_datagrams(self, bound: socket.socket) -> None:
        with CancelScope(shield=True):  # a socket half taken is one that nobody closes
            held = await UDPSocket.from_socket(bound)
        async with held:
            async for query, sender in held:
                if (reply := self._answering(query, Transport.UDP)) is not None:
                    await held.sendto(reply, *sender)

    async def _take_in(self, bound: socket.socket, group: TaskGroup) -> None:
        with CancelScope(shield=True):
            listener = await SocketListener.from_socket(bound)
        async with listener:
            while True:
                try:
                    group.start_soon(self._receive, await listener.accept())
                    self._stuck = False
                except OSError as error:  # it is gone again, or nothing is left to hold it
                    if error.errno in _SCARCE:
                        await self._wait_for_room(error)

    async def _wait_for_room(self, error: OSError) -> None:
        if not self._stuck:  # told once, until it is over
            self._log.warning("cannot take in a connection: %s", error.strerror)
        self._stuck = True
        self._make_room()
        await anyio.sleep(PAUSE)

    async def _receive(self, stream: SocketStream) -> None:
        if len(self._connections) >= MOST_CONNECTIONS:
            self._make_room()
        with CancelScope() as scope:
            self._connections[scope] = None
            try:
                async with stream:
                    await self._converse(stream, scope)
            except (BrokenResourceError, ClosedResourceError, EndOfStream, IncompleteRead):
                pass  # it has gone
            except TimeoutError:
                pass  # it has said nothing for long
            finally:
                self._connections.pop(scope, None)

    async def _converse(self, stream: SocketStream, scope: CancelScope) -> None:
        incoming = BufferedByteReceiveStream(stream)
        while True:
            with anyio.fail_after(self._patience):
                length = int.from_bytes(await incoming.receive_exactly(2), "big")
                if length > MOST_BYTES:
                    return
                query = await incoming.receive_exactly(length)
                self._connections[scope] = self._connections.pop(scope, None)
                if (reply := self._answering(query, Transport.TCP)) is None:
                    return
                await stream.send(len(reply).to_bytes(2, "big") + reply)

    def _make_room(self) -> None:
        if self._connections:
            longest = next(iter(self._connections))
            del self._connections[longest]
            longest.cancel()
