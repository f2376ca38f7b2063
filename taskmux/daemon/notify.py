"""Tells systemd that the daemon answers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress


def tell_ready(environ: Mapping[str, str]) -> None:
    """Say so to whoever started this program, if they want to hear of it."""
    if not (path := environ.get("NOTIFY_SOCKET", "")):
        return
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"READY=1\n", address)
