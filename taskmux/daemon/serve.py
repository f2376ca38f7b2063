"""The daemon at work: what it holds, as contexts, the longest needed first."""

from __future__ import annotations

import logging
import os
import signal
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
from anyio import create_task_group, open_signal_receiver
from anyio.abc import TaskGroup

from taskmux import paths
from taskmux.api.commands import Commands, House
from taskmux.api.token import renew_token
from taskmux.api.unix import open_unix_door
from taskmux.api.websocket import open_websocket_door
from taskmux.bus import Bus
from taskmux.errors import DaemonDidNotStart
from taskmux.files import set_aside
from taskmux.plugins import Plugins
from taskmux.processes import Ports, peer_uid, remember_limits
from taskmux.projects import Projects
from taskmux.settings import Settings
from taskmux.store import Store
from taskmux.supervisor import Services
from taskmux.undertaking import see_through
from taskmux.when import rfc3339
from taskmux.wire import PROTOCOL, DaemonReport, Shutdown

from .relay import relayed

log = logging.getLogger("taskmux")


async def serve(
    home: Path, settings: Settings, port: int, ready: Callable[[], None], detached: bool
) -> None:
    """Own every project's tasks until told to end; nothing of them is left then.

    `ready` is called once requests are answered.
    """
    remember_limits()
    async with _ending(detached) as ending, AsyncExitStack() as stack:
        services = _services(home, settings)
        await stack.enter_async_context(relayed(services.bus, services.plugins))
        projects = await stack.enter_async_context(Projects.open(services))
        about = _About(home, projects)
        group = await stack.enter_async_context(create_task_group())
        desk = Commands(House(projects, services, about, partial(_end, group, projects, ending)))
        await _open_websocket(stack, desk, home, port, about)
        await _open_door(stack, desk, home, services.bus)
        services.bus.publish("daemon_started", pid=os.getpid(), version=about().version)
        log.info("ready: pid %d, %s", os.getpid(), about().reason)
        ready()
        await ending.wait()
        log.info("ending")
        # Whoever still asks is answered: the doors close when every task has ended.
        await desk.answer(Shutdown())
    log.info("ended")


async def _end(group: TaskGroup, projects: Projects, ending: anyio.Event, resume: bool) -> None:
    async def end() -> None:
        await projects.close(resume=resume)
        ending.set()

    await see_through(group, end)


class _About:
    """Answers who the daemon is."""

    def __init__(self, home: Path, projects: Projects) -> None:
        self.api_port: int | None = None
        self.reason = ""
        self._home = home
        self._projects = projects
        self._started_at = rfc3339(datetime.now(UTC))
        self._version = version("taskmux")

    def __call__(self) -> DaemonReport:
        return DaemonReport(
            running=True,
            pid=os.getpid(),
            version=self._version,
            protocol=PROTOCOL,
            started_at=self._started_at,
            home=str(self._home),
            api_port=self.api_port,
            projects=len(self._projects),
            tasks=sum(len(p.supervisor.crew.members) for p in self._projects if p.supervisor),
            reason=self.reason,
        )


def _services(home: Path, settings: Settings) -> Services:
    bus = Bus(paths.events(home))
    plugins = Plugins(disabled=settings.disabled_plugins)
    services = Services(
        home=home,
        settings=settings,
        bus=bus,
        store=Store(home, partial(_damaged, bus)),
        plugins=plugins,
        ports=Ports(salt=str(home)),
    )
    _ = plugins.probes  # asked now, so that what is broken is told at the start
    for name, error in plugins.broken.items():
        bus.publish("plugin_failed", plugin=name, reason=str(error))
    return services


def _damaged(bus: Bus, path: Path, why: str) -> None:
    log.warning("set aside %s: %s", path, why)
    bus.publish("state_damaged", path=str(path), reason=why)


async def _open_websocket(
    stack: AsyncExitStack, desk: Commands, home: Path, port: int, about: _About
) -> None:
    # The CLI does not need it: a port that is taken costs other programs, not the tasks.
    log_path = paths.daemon_log(home)
    what = "its token"
    try:
        token = renew_token(paths.token(home))
        what = f"port {port}"
        door = open_websocket_door(port, desk, log_path, token=token, peer_uid=peer_uid)
        about.api_port = await stack.enter_async_context(door)
        about.reason = f"WebSocket on port {about.api_port}"
    except OSError as error:
        about.reason = f"no WebSocket: {what} cannot be used: {error.strerror or error}"
        log.warning("%s", about.reason)


async def _open_door(stack: AsyncExitStack, desk: Commands, home: Path, bus: Bus) -> None:
    path, log_path = paths.door(home), paths.daemon_log(home)
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            _damaged(bus, set_aside(path), "it is not a socket")
    try:
        await stack.enter_async_context(open_unix_door(path, desk, log_path))
    except OSError as error:
        why = f"{path} cannot be used: {error.strerror or error}"
        raise DaemonDidNotStart(why, (), str(log_path)) from None


@asynccontextmanager
async def _ending(detached: bool) -> AsyncIterator[anyio.Event]:
    """Yield what is set when the daemon is to end."""
    ending = anyio.Event()
    ends = [signal.SIGTERM, signal.SIGINT] if detached else [*END_SIGNALS]
    if detached:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # there is no terminal to lose
    async with create_task_group() as group:
        group.start_soon(_watch_signals, ends, ending)
        yield ending
        group.cancel_scope.cancel()


END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def _watch_signals(ends: list[signal.Signals], ending: anyio.Event) -> None:
    with open_signal_receiver(*ends) as received:
        async for number in received:
            log.info("got %s", signal.Signals(number).name)
            ending.set()
