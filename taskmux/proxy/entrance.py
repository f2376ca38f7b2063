"""Where a connection of a browser begins: which version of HTTP it speaks is known by then."""

from __future__ import annotations

import asyncio
from typing import cast

from .front import Front
from .hub import Hub


class Entrance(asyncio.Protocol):
    """Hands a connection on to what the client and the proxy agreed to speak."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Look at what was agreed on while it began to encrypt; without that it is HTTP/1.1."""
        encrypted = transport.get_extra_info("ssl_object")
        protocol: asyncio.Protocol
        if encrypted is not None and encrypted.selected_alpn_protocol() == "h2":
            from .multiplex import Multiplex  # 50 ms that plain connections do not need

            protocol = Multiplex(self._hub)
        else:
            protocol = Front(self._hub)
        cast(asyncio.Transport, transport).set_protocol(protocol)
        protocol.connection_made(transport)
