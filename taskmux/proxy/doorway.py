"""Takes in who connects, so many at a time, and finds out whether they come encrypted."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import anyio
from anyio import CancelScope
from anyio.abc import TaskGroup

from taskmux.scarcity import described, scarce

from .hub import Guest

HANDSHAKE = 10.0
"""Seconds for a client to say its first word, and again to agree on keys."""

PAUSE = 0.1
"""Seconds to the next try when none can be taken in, most often because files have run out."""

AT_ONCE = 64
"""Connections that are taken in before anybody else is served again."""

ENCRYPTED = 0x16
"""What the first byte is of who begins to encrypt (RFC 8446 §5.1): a handshake."""

MOST_EACH = 256
"""Connections of one address of another machine. All of this machine's have the same."""

_ALIVE = [
    (getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
    if hasattr(socket, name)
]
"""After how many silent seconds the other end is asked whether it is still there, how often."""

log = logging.getLogger("taskmux.proxy")


class Guests(set[Guest]):
    """Those who are inside."""

    def __init__(self) -> None:
        super().__init__()
        self._empty = anyio.Event()

    def discard(self, guest: object) -> None:
        """Note that somebody has left."""
        super().discard(guest)
        if not self:
            self._empty.set()

    async def gone(self) -> None:
        """Wait until nobody is there."""
        self._empty = anyio.Event()
        if self:
            await self._empty.wait()


class Places:
    """Room for `most` guests, of one address `each`, whichever hall they are in."""

    def __init__(self, most: int, each: int = MOST_EACH) -> None:
        self._halls: list[Guests] = []
        self._most, self._each = most, each

    def hall(self) -> Guests:
        """Return where some of them are, at first nobody."""
        self._halls.append(Guests())
        return self._halls[-1]

    def find(self, address: str) -> bool:
        """Return whether one more may come in; for that, who has been idle longest may go."""
        if not _here(address):
            of_it = sum(guest.address == address for hall in self._halls for guest in hall)
            if of_it >= self._each:
                return False
        return sum(map(len, self._halls)) < self._most or self.make()

    def make(self) -> bool:
        """Have who has been idle longest go; return whether somebody was."""
        guests = [guest for hall in self._halls for guest in hall]
        idle = [(since, guest) for guest in guests if (since := guest.idle) is not None]
        if not idle:
            return False
        _, longest = min(idle, key=lambda one: one[0])
        for hall in self._halls:
            hall.discard(longest)
        longest.abort()
        return True


def _here(address: str) -> bool:
    return address.startswith("127.") or address == "::1"


@dataclass(frozen=True, slots=True)
class Tongue:
    """How one kind of guest is spoken with."""

    speak: Callable[[], asyncio.Protocol]
    guests: Guests
    context: ssl.SSLContext | None = None


class Doorway:
    """Accepts who comes to a listener while it is open; that stays open when this is closed.

    Who comes to the door of those who encrypt and does not is `plain`'s guest, if there is
    that. Where no place is left the connection is closed.
    """

    def __init__(
        self,
        group: TaskGroup,
        listener: socket.socket,
        places: Places,
        tongue: Tongue,
        plain: Tongue | None,
    ) -> None:
        self.tongue, self.plain = tongue, plain
        self.group = group
        self.loop = asyncio.get_running_loop()
        self._listener = listener
        self._places = places
        self._open = False
        self._stuck = False
        self._again: asyncio.TimerHandle | None = None
        listener.setblocking(False)

    def open(self) -> None:
        """Take in who waits, and who comes."""
        if not self._open:
            self._open = True
            self.loop.add_reader(self._listener.fileno(), self._accept)

    def pause(self) -> None:
        """Have who comes wait in front of the door."""
        if self._again is not None:
            self._again.cancel()
        self._again = None
        if self._open:
            self._open = False
            self.loop.remove_reader(self._listener.fileno())

    def close(self) -> None:
        """Let nobody in any more."""
        self.pause()
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                found, (address, *_) = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:
                self._rest(error)
                return
            self._stuck = False
            if self._places.find(address):
                Arrival(self, found, address).begin()
            else:
                found.close()

    def _rest(self, error: OSError) -> None:
        """Look again later: the listener stays readable, and would be looked at for ever."""
        if not self._stuck:  # told once, until it is over
            log.warning("cannot take in a connection: %s", described(error))
        self._stuck = True
        if scarce(error):
            self._places.make()
        self.pause()
        self._again = self.loop.call_later(PAUSE, self.open)


class Arrival:
    """Somebody who has connected, until it is known how to speak with them."""

    def __init__(self, door: Doorway, found: socket.socket, address: str) -> None:
        self.address = address
        self.idle: float | None = monotonic()
        self._door = door
        self._socket = found
        self._tongue = door.tongue
        self._scope = CancelScope()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Wait for their first byte where that says something."""
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _ALIVE:
            self._socket.setsockopt(socket.IPPROTO_TCP, option, value)
        self._tongue.guests.add(self)
        if self._door.plain is None:
            self._door.group.start_soon(self._agree)
        else:
            self._timer = self._door.loop.call_later(HANDSHAKE, self.abort)
            self._door.loop.add_reader(self._socket.fileno(), self._listen)

    def leave(self) -> None:
        """Stay, to say soon what is wanted."""

    def close(self) -> None:
        """Go: nothing was written yet."""
        self.abort()

    def abort(self) -> None:
        """Break it off."""
        self._scope.cancel()
        if self._timer is not None:
            self._listen_no_more()
            self._gone()

    def _listen(self) -> None:
        try:
            first = self._socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        if not first:
            self.abort()
            return
        self._listen_no_more()
        if first[0] != ENCRYPTED and self._door.plain is not None:
            self._tongue.guests.discard(self)
            self._tongue = self._door.plain
            self._tongue.guests.add(self)
        self._door.group.start_soon(self._agree)

    def _listen_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._door.loop.remove_reader(self._socket.fileno())

    async def _agree(self) -> None:
        """Agree on keys, if they encrypt; from then on the connection is its protocol's."""
        context = self._tongue.context
        try:
            with self._scope:
                await self._door.loop.connect_accepted_socket(
                    self._tongue.speak,
                    self._socket,
                    ssl=context,
                    ssl_handshake_timeout=None if context is None else HANDSHAKE,
                )
                self._tongue.guests.discard(self)
                return
        except OSError:  # they hung up, or did not want our certificate
            pass
        except Exception:  # it would end the proxy, and with it all who are here
            log.exception("somebody who came could not be spoken with")
        self._gone()

    def _gone(self) -> None:
        self._tongue.guests.discard(self)
        self._socket.close()
