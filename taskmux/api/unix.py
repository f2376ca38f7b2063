"""The door for programs of the same user: a Unix socket, one JSON object a line."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import anyio
from anyio import create_task_group, move_on_after
from anyio.abc import SocketAttribute, SocketListener, SocketStream

from taskmux.address import reachable
from taskmux.errors import NotAllowed
from taskmux.scarcity import room

from . import messages
from .connection import GONE, Connection, Limits
from .desk import Desk
from .lines import Lines
from .messages import Envelope
from .reception import Guest, Listening, Reception

LOOK = 0.2
"""Seconds between two looks whether the socket is still there: no kernel tells of that alone."""

MOST = 1024
"""Connections at a time; fewer where these would take more than a quarter of our descriptors."""

_LOCAL_PEERCRED = 1
"""Of macOS: the option of level 0 that holds a `struct xucred`."""


@asynccontextmanager
async def open_unix_door(
    path: Path,
    desk: Desk,
    log_path: Path,
    limits: Limits | None = None,
    *,
    most: int = MOST,
    was: Listening | None = None,
) -> AsyncIterator[Reception]:
    """Answer at the socket `path` while inside, to `most` connections at a time.

    Only its owner gets at the socket or its folder. A file left over at `path`
    is replaced, so the caller must be the only daemon. If it is deleted, as cleaners of
    temporary folders do, there soon is another one. Where somebody `was`
    listening before, go on there. Raises `OSError`.
    """
    if was is None:
        listener = await _listen(path)
    else:
        listener = await SocketListener.from_socket(was.descriptors[0])
    limits = limits or Limits()
    visit = partial(_visit, desk=desk, log_path=log_path, limits=limits)
    most = room(most, 4)
    turn_away = partial(_refuse, why=f"{most} connections are open already, all of them at work")
    reception = Reception([listener], visit, turn_away, most, limits.idle)
    try:
        async with listener, create_task_group() as group:
            group.start_soon(reception.serve)
            group.start_soon(_stay, path, reception)
            yield reception
            group.cancel_scope.cancel()
    finally:
        _remove(path)


async def _listen(path: Path) -> SocketListener:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if _is_taken(path):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
    # Whoever sees it connects at once: it gets its name when it is listening.
    unopened = path.with_name(f".{path.name}-unopened")
    with reachable(unopened) as name:
        listener = await anyio.create_unix_listener(name, mode=0o600)
    try:
        unopened.replace(path)
    except OSError:
        await listener.aclose()
        raise
    return listener


async def _stay(path: Path, reception: Reception) -> None:
    async with AsyncExitStack() as listeners:
        while True:
            await anyio.sleep(LOOK)
            if not _exists(path):
                with suppress(OSError):  # a full disk, or a folder that is not ours any more
                    reception.move(await listeners.enter_async_context(await _listen(path)))


def _is_taken(path: Path) -> bool:
    return os.path.lexists(path) and not path.is_socket()


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


async def _visit(
    stream: SocketStream, guest: Guest, *, desk: Desk, log_path: Path, limits: Limits
) -> None:
    uid = _peer_uid(stream.extra(SocketAttribute.raw_socket))
    # Root gets everywhere anyway, and must be able to stop what it started.
    if uid not in {os.getuid(), 0}:
        await _refuse(stream, why=f"this is the daemon of user {os.getuid()}, you are {uid}")
        return
    lines = Lines(stream, patience=limits.receive)
    await Connection(lines, desk, log_path, limits, guest).serve()


async def _refuse(stream: SocketStream, *, why: str) -> None:
    with move_on_after(1), suppress(*GONE):
        await Lines(stream).send(messages.refusal(Envelope(), NotAllowed(why)))


def _peer_uid(peer: socket.socket) -> int:
    """Return the user at the other end, as the kernel noted it when it connected."""
    if sys.platform == "linux":
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int(struct.unpack("iII", credentials)[1])
    credentials = peer.getsockopt(0, _LOCAL_PEERCRED, 76)
    return int(struct.unpack_from("II", credentials)[1])
