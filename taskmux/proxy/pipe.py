"""A connection that either speaks HTTP, or passes what it gets on to another one."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast


class Peer(Protocol):
    """The other side of a tunnel."""

    def write(self, data: bytes) -> None:
        """Send this."""

    def pause(self) -> None:
        """Read no more for now."""

    def resume(self) -> None:
        """Read on."""

    def end(self) -> None:
        """Say that nothing more will be sent; what comes back is still read."""

    def close(self) -> None:
        """Send what is written, and close."""

    def abort(self) -> None:
        """Close at once."""


class Pipe(asyncio.Protocol):
    """A connection; a subclass says what its bytes mean until it is joined to a peer.

    What one side of a tunnel can't take is not read on the other.
    """

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.clogged = False
        """Whether what was written is not taken: nothing more should be for now."""

        self._peer: Peer | None = None
        self._paused = False
        self._said_end = self._heard_end = False

    # For a subclass.

    def came(self) -> None:
        """Begin: there is a connection."""

    def received(self, data: bytes) -> None:
        """Take what came, before there is a peer."""

    def ended(self) -> None:
        """Notice that nothing more will come, before there is a peer."""
        self.close()

    def full(self) -> None:
        """Write no more for now; a peer knows it already."""

    def drained(self) -> None:
        """Go on writing; a peer does already."""

    def gone(self, error: Exception | None) -> None:
        """Notice that the connection is closed."""

    # A peer to others.

    def join(self, peer: Peer) -> None:
        """From now on, pass on what comes to `peer`."""
        self._peer = peer
        if self.clogged:
            peer.pause()

    def write(self, data: bytes) -> None:
        """Send this, if anybody is there."""
        if self.transport is not None:
            self.transport.write(data)

    def pause(self) -> None:
        """Read no more for now."""
        if not self._paused and self.transport is not None and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused and self.transport is not None and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def end(self) -> None:
        """Say that nothing more will be sent, where the transport can say that."""
        if self.transport is None or self.transport.is_closing():
            return
        self._said_end = True
        if self.transport.can_write_eof() and not self._heard_end:
            self.transport.write_eof()
        else:
            self.transport.close()

    def close(self) -> None:
        """Send what is written, and close."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self.transport is not None:
            self.transport.abort()

    # From the loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class
        self.came()

    def data_received(self, data: bytes) -> None:
        """Pass it on, or take it."""
        if self._peer is not None:
            self._peer.write(data)
        else:
            self.received(data)

    def eof_received(self) -> bool:
        """Note that nothing more will come; the transport stays open if it can."""
        self._heard_end = True
        if self._peer is not None:
            self._peer.end()
        else:
            self.ended()
        if self.transport is None or self._said_end:
            return False
        return self.transport.can_write_eof()

    def pause_writing(self) -> None:
        """Have nothing more read that would be written here."""
        self.clogged = True
        if self._peer is not None:
            self._peer.pause()
        self.full()

    def resume_writing(self) -> None:
        """Have it read again."""
        self.clogged = False
        if self._peer is not None:
            self._peer.resume()
        self.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the transport, and of the peer."""
        self.transport = None
        peer, self._peer = self._peer, None
        self.gone(exc)
        if peer is None:
            return
        if exc is None:
            peer.close()
        else:
            peer.abort()
