"""A connection to the daemon: one JSON object a line, each way."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import msgspec

from taskmux.address import reachable
from taskmux.errors import BadRequest, DaemonNotRunning, ProtocolMismatch


class Unread(Exception):
    """The daemon has closed the connection before it read what was sent: nothing was begun."""


class Line:
    """An open connection; leaving its context closes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._incoming.close()
        self._connection.close()

    def send(self, frame: object) -> None:
        """Send one message; raise `Unread` if nobody takes it."""
        try:
            self._connection.sendall(msgspec.json.encode(frame) + b"\n")
        except UnicodeEncodeError:
            raise BadRequest("a name or a path is not UTF-8", hint=None) from None
        except ConnectionError:
            raise Unread from None

    def receive(self) -> dict[str, Any] | None:
        """Return the next message; None when the daemon has closed the connection.

        Raises `Unread` if it did so without looking at what was sent.
        """
        try:
            line = self._incoming.readline()
        except ConnectionResetError:
            raise Unread from None
        if not line:
            return None
        try:
            return msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ProtocolMismatch(str(error)) from None


def dial(door: Path, patience: float | None = None) -> Line:
    """Connect to the daemon's socket; raise `DaemonNotRunning` if nobody answers.

    With `patience`, whatever takes that many seconds raises `TimeoutError`.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(patience)
    try:
        with reachable(door) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise DaemonNotRunning from None
    return Line(connection)


def answers(door: Path) -> bool:
    """Return whether a daemon is at its socket."""
    try:
        with dial(door):
            return True
    except DaemonNotRunning:
        return False
