"""The proxy at work: its sockets, its connections, and how it ends."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from weakref import WeakKeyDictionary

import anyio
from anyio.abc import TaskGroup

from taskmux.scarcity import room

from .back import MOST as MOST_LINES
from .back import Pool, Suspect
from .directory import Directory
from .doorway import Doorway, Places, Tongue
from .entrance import Entrance

BACKLOG = 1024
MOST = 1024
"""Connections at a time; fewer where these would take more than a share of our descriptors."""

SHARE = 8
"""Of so many descriptors one may be a browser's; each may have another one open to a task."""

FAREWELL = 0.5
"""Seconds for what is written to arrive, at the end."""


class Proxy:
    """Accepts connections, each at an `Entrance`, and finds who is asked in its `directory`."""

    def __init__(
        self,
        directory: Directory,
        pool: Pool,
        group: TaskGroup,
        scheme: str,
        port: int,
        places: Places,
    ) -> None:
        self.directory = directory
        self.lines = pool
        self.scheme = scheme
        self.port = port
        self.leaving = False
        self.places = places
        self.guests = places.hall()
        self._group = group
        self._names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()
        self._doors: list[Doorway] = []

    def named(self, transport: asyncio.Transport) -> str | None:
        """Return the name that the client gave while it began to encrypt; None if none."""
        found = transport.get_extra_info("ssl_object")
        return None if found is None else self._names.get(found)

    def note_name(self, connection: ssl.SSLObject, name: str) -> None:
        """Remember the name that a client gave."""
        self._names[connection] = name

    async def listen(
        self,
        listener: socket.socket,
        context: ssl.SSLContext | None,
        plain: Proxy | None = None,
    ) -> None:
        """Accept what comes to a socket that listens; it stays open when the proxy ends.

        Who does not encrypt where there is a `context` is a guest of `plain`.
        """
        door = Doorway(
            self._group,
            listener.dup(),
            self.places,
            self._tongue(context),
            None if plain is None else plain._tongue(None),
        )
        self._doors.append(door)
        door.open()

    def _tongue(self, context: ssl.SSLContext | None) -> Tongue:
        return Tongue(partial(Entrance, self), self.guests, context)

    def pause(self) -> None:
        """Have who comes wait in front of the doors, and who is here go when it may."""
        self.leaving = True
        for door in self._doors:
            door.pause()
        for guest in list(self.guests):
            guest.leave()

    def resume(self) -> None:
        """Take in who waits, and who comes."""
        self.leaving = False
        for door in self._doors:
            door.open()

    async def empty(self) -> None:
        """Wait until nobody is here."""
        await self.guests.gone()

    async def close(self) -> None:
        """Accept no more; give what goes on a moment, and break off the rest."""
        for door in self._doors:
            door.close()
        for guest in list(self.guests):
            guest.close()
        with anyio.move_on_after(FAREWELL, shield=True):
            await self.empty()
        for guest in list(self.guests):
            guest.abort()


@asynccontextmanager
async def open_proxy(
    directory: Directory,
    scheme: str,
    port: int,
    suspect: Suspect | None = None,
    places: Places | None = None,
) -> AsyncIterator[Proxy]:
    """Yield a proxy that listens nowhere yet; leaving it closes everything of it.

    Nothing is said to who listens where there is something to `suspect`. With the `places` of
    another one both have no more guests than that one may.
    """
    async with anyio.create_task_group() as group:
        pool = Pool(group, room(MOST_LINES, SHARE), suspect)
        places = places or Places(room(MOST, SHARE))
        proxy = Proxy(directory, pool, group, scheme, port, places)
        try:
            yield proxy
        finally:
            await proxy.close()
            pool.close()
            group.cancel_scope.cancel()


def bind(addresses: Iterable[str], port: int) -> list[socket.socket]:
    """Return a socket that listens for each address, all on one port; 0 takes any.

    Raises `OSError` if one of them can't be had: somebody else would answer there.
    """
    with ExitStack() as stack:
        found: list[socket.socket] = []
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                listener = socket.create_server((address, port), family=family, backlog=BACKLOG)
            except OSError as error:  # its text says where, too, as tuples
                raise OSError(error.errno, os.strerror(error.errno or 0)) from None
            found.append(stack.enter_context(listener))
            port = listener.getsockname()[1]
        stack.pop_all()
    return found
