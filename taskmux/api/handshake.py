"""From a connection to a WebSocket: reads the HTTP request, and lets in or turns away."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

from anyio import EndOfStream, move_on_after
from anyio.abc import SocketStream
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from taskmux.errors import NotAllowed

from . import messages
from .connection import GONE
from .messages import Envelope

LONGEST = 64 * 1024
"""Bytes of the longest message, however many frames it comes in."""

Objection = tuple[HTTPStatus, NotAllowed]

_NOT_HTTP = "This is taskmux. It speaks HTTP here, and that was none it could read.\n"
_NOT_WEBSOCKET = "This is taskmux. Programs talk to it here, over a WebSocket.\n"
_FAREWELL = 1.0

# websockets notes every connection at INFO, which says nothing to our users.
_quiet = logging.Logger("taskmux.api.websocket", logging.WARNING)
_quiet.parent = logging.getLogger("taskmux.api")


async def shake_hands(
    stream: SocketStream, judge: Callable[[Request], Awaitable[Objection | None]]
) -> ServerProtocol | None:
    """Return the open WebSocket, or None after telling the client why there is none.

    `judge` sees the request before anything else is made of it. Raises
    `EndOfStream` if the client leaves before it has asked for anything.
    """
    protocol = ServerProtocol(max_size=LONGEST, logger=_quiet)
    request = await _request(stream, protocol)
    response = await _response(protocol, request, judge)
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        await turn_away(stream, response)
        return None
    protocol.send_response(response)
    for data in protocol.data_to_send():
        await stream.send(data)
    return protocol


async def turn_away(stream: SocketStream, response: Response) -> None:
    """Send the response and end the connection in such a way that it is received."""
    with move_on_after(_FAREWELL), suppress(EndOfStream, *GONE):
        await stream.send(response.serialize())
        await stream.send_eof()
        # Closing a socket with unread bytes would reset it, and the response be lost.
        while True:
            await stream.receive()


def refusal(status: HTTPStatus, error: NotAllowed) -> Response:
    """Return the response that says why not, in the form of every refusal."""
    body = messages.refusal(Envelope(), error).decode() + "\n"
    response = ServerProtocol().reject(status, body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def _request(stream: SocketStream, protocol: ServerProtocol) -> Request | None:
    """Return the request; None if it is not one, or there is more before we answered it."""
    while True:
        protocol.receive_data(await stream.receive())
        if events := protocol.events_received():
            request, *early = events
            patient = not early and not protocol.eof_sent
            return request if isinstance(request, Request) and patient else None
        if protocol.handshake_exc is not None:
            return None


async def _response(
    protocol: ServerProtocol,
    request: Request | None,
    judge: Callable[[Request], Awaitable[Objection | None]],
) -> Response:
    if request is None:
        return protocol.reject(HTTPStatus.BAD_REQUEST, _NOT_HTTP)
    if objection := await judge(request):
        return refusal(*objection)
    response = protocol.accept(request)
    if response.status_code == HTTPStatus.UPGRADE_REQUIRED:
        response = protocol.reject(HTTPStatus.UPGRADE_REQUIRED, _NOT_WEBSOCKET)
        response.headers["Upgrade"] = "websocket"
    return response
