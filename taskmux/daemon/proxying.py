"""The proxy as a part of the daemon."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio import create_task_group, move_on_after, wait_readable
from msgspec import UNSET

from taskmux.errors import TaskmuxError
from taskmux.processes import stranger
from taskmux.projects import Projects, holders
from taskmux.proxy.server import Proxy, open_proxy
from taskmux.routes import TLD
from taskmux.settings import Authority, Settings
from taskmux.supervisor import Services
from taskmux.threads import in_thread
from taskmux.wire import ProxyReport

from .addressbook import Addressbook, Redirects
from .endpoint import Place
from .listeners import Listener, Listeners
from .naming import CHANGES

if TYPE_CHECKING:
    from taskmux.proxy.certificates import Certificates

log = logging.getLogger("taskmux")


class Proxying:
    """The proxy, from when its certificates can be made."""

    def __init__(
        self, services: Services, projects: Projects, listeners: Listeners, place: Place
    ) -> None:
        self.trouble: TaskmuxError | None = None
        """Why there is none, though it has a place."""

        self._services = services
        self._projects = projects
        self._listeners = listeners
        self._place = place
        self._proxies: list[Proxy] = []
        self._wanted = anyio.Event()
        self._end = anyio.Event()

    def report(self) -> ProxyReport:
        """Return whether tasks can be reached by name."""
        if self.trouble is not None:
            return ProxyReport(False, None, str(self.trouble), self.trouble.hint or UNSET)
        port = self._place.port
        hint = self._place.hint or UNSET
        return ProxyReport(port is not None, port, self._place.reason, hint)

    async def keep(self) -> None:
        """Answer at the names of tasks until `end`."""
        if self._place.port is None:
            return
        await self._until_wanted()
        while not self._end.is_set():
            try:
                make = partial(_certificates, self._services.home, self._services.settings)
                certificates = await in_thread(make)
            except TaskmuxError as trouble:
                self._fail(trouble)
                await self._until_changed()
            else:
                self.trouble = None
                await self._answer(certificates, self._place.port)

    async def _answer(self, certificates: Certificates, port: int) -> None:
        book = Addressbook(self._projects, self._services.urls)
        redirects = self._services.settings.proxy_http_redirect_port
        async with (
            open_proxy(book, "https", port, partial(_suspect, self._projects)) as secure,
            open_proxy(Redirects(book), "http", redirects, places=secure.places) as plain,
        ):
            context = certificates.context(secure.note_name)
            for listener in self._listeners.of("https"):
                with _socket(listener) as found:
                    await secure.listen(found, context, plain)
            for listener in self._listeners.of("http"):
                with _socket(listener) as found:
                    await plain.listen(found, None)
            self._proxies = [secure, plain]
            await self._end.wait()
            self._proxies = []

    def _fail(self, trouble: TaskmuxError) -> None:
        if str(trouble) != str(self.trouble):
            log.warning("no proxy: %s", trouble)
        self.trouble = trouble

    def note(self, event: dict[str, Any]) -> None:
        """Look whether there are names after an event that may have brought some.

        After trouble it is tried again whatever happens: somebody may have seen to it.
        """
        if (event["event"] in CHANGES or self.trouble is not None) and self._has_names():
            self._wanted.set()

    def pause(self) -> None:
        """Have who comes wait, and who is here go as soon as they have their answers."""
        for proxy in self._proxies:
            proxy.pause()

    def resume(self) -> None:
        """Take in who waits, and who comes."""
        for proxy in self._proxies:
            proxy.resume()

    async def clear(self, seconds: float) -> None:
        """Wait until nobody is here, or for so many seconds."""
        with move_on_after(seconds):
            for proxy in self._proxies:
                await proxy.empty()

    def end(self) -> None:
        """Have `keep` return."""
        self._end.set()

    async def _until_wanted(self) -> None:
        """Wait for a name, or for somebody who connects: the rest do not pay for it."""
        if not self._has_names():
            listeners = [*self._listeners.of("https"), *self._listeners.of("http")]
            waits = (partial(wait_readable, listener.descriptor) for listener in listeners)
            await _first(self._wanted.wait, self._end.wait, *waits)

    async def _until_changed(self) -> None:
        self._wanted = anyio.Event()
        await _first(self._wanted.wait, self._end.wait)

    def _has_names(self) -> bool:
        return any(holders(project) for project in self._projects)


async def _first(*waits: Callable[[], Awaitable[object]]) -> None:
    """Return as soon as one of them does."""
    async with create_task_group() as group:

        async def wait(one: Callable[[], Awaitable[object]]) -> None:
            await one()
            group.cancel_scope.cancel()

        for one in waits:
            group.start_soon(wait, one)


def _suspect(projects: Projects, address: str, port: int) -> str:
    """Return why a port is not to be asked: another user has taken it from a task.

    Where an alias leads somebody has chosen.
    """
    opened = (project.supervisor for project in projects)
    crews = (supervisor.crew for supervisor in opened if supervisor is not None)
    if not any(member.port == port for crew in crews for member in crew.members.values()):
        return ""
    user = stranger(address, port)
    return "" if user is None else f"a program of user {user} listens there"


@contextmanager
def _socket(listener: Listener) -> Iterator[socket.socket]:
    with socket.socket(fileno=os.dup(listener.descriptor)) as found:
        yield found


def _certificates(home: Path, settings: Settings) -> Certificates:
    # Imported here, in a thread: with what it needs it takes longer than all else at the start.
    from taskmux.proxy.certificates import Certificates
    from taskmux.trust import authority

    import_module("taskmux.proxy.multiplex")  # else the first browser would wait for it
    tlds = (TLD,)
    if settings.ca is Authority.MKCERT:
        return Certificates(authority.borrowed(os.environ), tlds)
    return Certificates(authority.own(home, tlds), tlds)


@asynccontextmanager
async def proxying(
    services: Services, projects: Projects, listeners: Listeners, place: Place
) -> AsyncIterator[Proxying]:
    """Answer at the names of tasks while inside."""
    proxy = Proxying(services, projects, listeners, place)
    forget = services.bus.listen(proxy.note)
    async with create_task_group() as group:
        group.start_soon(proxy.keep)
        try:
            yield proxy
        finally:
            proxy.end()
            forget()
