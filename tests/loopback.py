"""What there is of loopback on this machine."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack


def _free(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as stack:
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                stack.enter_context(socket.socket(family, kind)).bind((address, port))
        except OSError:
            return False
    return True


def has_ipv6() -> bool:
    """Return whether something can be bound to ::1."""
    return _free("::1", 0)


LOOPBACKS = ["127.0.0.1", *(["::1"] if has_ipv6() else [])]


def free_port() -> int:
    """Return a port that is free for every family and protocol, outside those the system gives."""
    while True:
        port = random.randint(20000, 30000)
        if all(_free(address, port) for address in LOOPBACKS):
            return port
