"""The kernel's listening TCP sockets, asked for over netlink.

`/proc/net/tcp` has them, too, but to be read it goes through every slot for
connections there could be: 5 ms where this takes 0.1.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterator

from .sockets import LISTEN, Socket

assert sys.platform == "linux"  # lets mypy leave this file out elsewhere

_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUESTED, _DUMP = 0x1, 0x301
_ERROR, _DONE = 2, 3

_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
_ANSWER = struct.Struct("!4xH46x")  # its port is all we want of its addresses
_OWNER = struct.Struct("=12xII")
_MOST = 1 << 16
_ANY_COOKIE = b"\xff" * 8


def listeners() -> list[Socket]:
    """Return who listens: port, user and inode, no address. Raise `OSError` where it can't be."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as ask:
        ask.settimeout(1)
        return [s for family in (socket.AF_INET, socket.AF_INET6) for s in _dump(ask, family)]


def owner(address: str, port: int) -> int | None:
    """Return whose listener one reaches at an address of this machine; None if nobody's.

    It is looked up, however many there are. Raise `OSError` where it can't be.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    place = socket.inet_pton(family, address).ljust(16, b"\0")
    request = bytes([family, socket.IPPROTO_TCP, 0, 0]) + struct.pack("=I", 1 << LISTEN)
    # Named as it would see us who connect, from nowhere yet.
    request += struct.pack("!HH", port, 0) + place + bytes(16) + bytes(4) + _ANY_COOKIE
    head = _HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _REQUESTED, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as ask:
        ask.settimeout(1)
        ask.send(head + request)
        [(kind, body), *_] = _messages(ask.recv(_MOST))
    if kind == _ERROR:
        error = -struct.unpack_from("=i", body)[0]
        if error == errno.ENOENT:
            return None
        raise OSError(error, "sock_diag")
    uid, _ = _OWNER.unpack_from(body, _ANSWER.size)
    return int(uid)


def _dump(ask: socket.socket, family: int) -> Iterator[Socket]:
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 1 << LISTEN)
    head = _HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, _DUMP, 0, 0)
    ask.send(head + request)
    while True:
        for kind, body in _messages(ask.recv(_MOST)):
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError(-struct.unpack_from("=i", body)[0], "sock_diag")
            (port,) = _ANSWER.unpack_from(body)
            uid, inode = _OWNER.unpack_from(body, _ANSWER.size)
            yield Socket((b"", port), (b"", 0), uid, inode)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, _, _, _ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]
