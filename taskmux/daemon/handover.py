"""How listeners, and news of the start as root, pass between a command and a running daemon.

The command makes a folder for the occasion, which nobody else can enter, with a socket in it. The
daemon is told its path, connects to it, and takes descriptors from there, or leaves them.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from taskmux.address import reachable
from taskmux.errors import PluginFailed
from taskmux.files import make_private

from .listeners import Listener, usable

FAILURE = "TASKMUX_UNPREPARED"
"""The variable that says which plugin failed while there was root, as JSON."""

PATIENCE = 5.0
"""Seconds either side may take: the other one is waiting."""

MOST = 64
"""Descriptors at a time."""

LIMIT = 65536
"""Bytes of what is said beside them."""

_FLAGS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Failure(msgspec.Struct, frozen=True):
    """A plugin that failed while there was root."""

    plugin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Handed:
    """What is passed on."""

    listeners: Sequence[Listener] = ()
    failures: Sequence[Failure] = ()


class _Letter(msgspec.Struct, frozen=True):
    uses: list[str]
    failures: list[Failure]


def encode_failure(failure: PluginFailed) -> str:
    """Return a failure as the value of a variable."""
    said = Failure(str(failure.facts["plugin"]), str(failure)[:1000])
    return msgspec.json.encode(said).decode()


def decode_failure(value: str) -> list[Failure]:
    """Return what `encode_failure` made of one; none if it is something else."""
    with suppress(ValueError):
        return [msgspec.json.decode(value, type=Failure)]
    return []


@contextmanager
def offering(home: Path, handed: Handed) -> Iterator[Path]:
    """Hand that to whoever comes to the path, as long as the block lasts."""
    with _meeting(home, partial(_send, handed)) as path:
        yield path


@contextmanager
def collecting(home: Path) -> Iterator[tuple[Path, list[Listener]]]:
    """Collect what is left at the path by whoever comes; the list is complete after the block."""
    found: list[Listener] = []

    def collect(connection: socket.socket) -> None:
        found.extend(_receive(connection).listeners)

    with _meeting(home, collect) as path:
        yield path, found


def take(path: Path) -> Handed:
    """Return what is offered at the path. Raises `OSError` if nobody is there."""
    with _connected(path) as connection:
        return _receive(connection)


def leave(path: Path, handed: Handed) -> None:
    """Leave that where it is collected; return when it has been taken. Raises `OSError`."""
    with _connected(path) as connection:
        _send(handed, connection)
        connection.recv(1)


@contextmanager
def _meeting(home: Path, meet: Callable[[socket.socket], None]) -> Iterator[Path]:
    make_private(home)
    with (
        TemporaryDirectory(dir=home, prefix=".handover-") as folder,
        socket.socket(socket.AF_UNIX) as listening,
    ):
        path = Path(folder, "socket")
        with reachable(path) as address:
            listening.bind(address)
        listening.listen()
        enough, end = os.pipe()
        thread = threading.Thread(target=_attend, args=(listening, enough, meet))
        thread.start()
        try:
            yield path
        finally:
            os.close(end)
            thread.join()
            os.close(enough)


def _attend(listening: socket.socket, enough: int, meet: Callable[[socket.socket], None]) -> None:
    door = listening.fileno()
    while enough not in select.select([door, enough], [], [])[0]:
        connection, _ = listening.accept()
        with connection, suppress(OSError, ValueError):
            connection.settimeout(PATIENCE)
            meet(connection)


@contextmanager
def _connected(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        with reachable(path) as address:
            connection.connect(address)
        yield connection


def _send(handed: Handed, connection: socket.socket) -> None:
    letter = _Letter([one.use for one in handed.listeners], list(handed.failures))
    descriptors = [one.descriptor for one in handed.listeners]
    text = msgspec.json.encode(letter)
    sent = socket.send_fds(connection, [text], descriptors) if descriptors else 0
    connection.sendall(text[sent:])
    connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket) -> Handed:
    text, descriptors, _, _ = socket.recv_fds(connection, LIMIT, MOST, _FLAGS)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    try:
        while len(text) < LIMIT and (more := connection.recv(LIMIT)):
            text += more
        letter = msgspec.json.decode(text, type=_Letter)
    except (OSError, ValueError):
        letter = _Letter([], [])
    found = [Listener(*pair) for pair in zip(letter.uses, descriptors, strict=False)]
    listeners = [one for one in found if usable(one.use, one.descriptor)]
    for descriptor in {*descriptors} - {one.descriptor for one in listeners}:
        os.close(descriptor)
    return Handed(listeners, letter.failures)
