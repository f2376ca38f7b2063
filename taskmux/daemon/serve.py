"""The daemon at work: what it holds, as contexts, the longest needed first."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
from anyio import create_task_group, open_signal_receiver

from taskmux import paths
from taskmux.api.commands import Commands, Gate, House
from taskmux.bus import Bus
from taskmux.plugins import Plugins
from taskmux.processes import (
    Ports,
    end_marked,
    end_shell,
    of_home,
    remember_limits,
    remember_umask,
    shell_files,
    shells_under_way,
)
from taskmux.projects import Projects
from taskmux.routes import Urls
from taskmux.settings import Settings
from taskmux.store import Store
from taskmux.supervisor import Services
from taskmux.trust.anchor import Anchor
from taskmux.undertaking import Undertakings
from taskmux.when import rfc3339
from taskmux.wire import PROTOCOL, DaemonReport, Shutdown

from .carried import CarriedDaemon
from .doors import Doors
from .endpoint import take_place
from .handover import Handed
from .listeners import Listeners
from .naming import naming
from .proxying import proxying
from .relay import relayed
from .renewal import ENDS, Renewal
from .transfer import Transfer

log = logging.getLogger("taskmux")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the daemon's command line, and its home, say."""

    home: Path
    settings: Settings
    lock: int
    """The descriptor of the lock that makes this the only daemon of its home."""

    port: int | None
    """The port that was asked for; None leaves it to the settings."""

    umask: int
    """What tasks begin with: that of whoever started the daemon."""

    detached: bool
    carried: CarriedDaemon | None = None
    """What the program before this one, in the same process, was in charge of."""

    damages: Sequence[tuple[Path, str]] = ()
    """Found before there was anybody to tell: where a file is now, what was wrong with it."""

    handed: Handed = field(default_factory=Handed)
    """What whoever started the daemon had bound for it, and could not prepare."""


async def serve(setting: Setting, ready: Callable[[], None]) -> None:
    """Own every project's tasks until told to end; nothing of them is left then.

    `ready` is called once requests are answered.
    """
    home, past = setting.home, setting.carried
    remember_limits(None if past is None else past.files)
    remember_umask(setting.umask)
    async with _ending(setting.detached) as ending, AsyncExitStack() as stack:
        bus = Bus(paths.events(home), None if past is None else past.bus)
        listeners = Listeners(() if past is None else past.listeners)
        transfer = Transfer(listeners, bus)
        transfer.accept(setting.handed)
        place = take_place(listeners, setting.settings)
        services = _services(home, setting.settings, bus, place.urls)
        for path, why in setting.damages:
            _damaged(services.bus, path, why)
        await stack.enter_async_context(relayed(services.bus, services.plugins))
        if past is None:
            await _end_orphans(home)
        known = None if past is None else past.projects
        projects = await stack.enter_async_context(Projects.open(services, known))
        stack.push_async_callback(services.elsewhere.end)
        names = await stack.enter_async_context(naming(services, projects))
        group = await stack.enter_async_context(create_task_group())
        for trace in past.shells if past else ():
            group.start_soon(end_shell, trace)
        doors, gate = Doors(home, services.bus, None if past is None else past.doors), Gate()
        proxy = await stack.enter_async_context(proxying(services, projects, listeners, place))
        about = _About(home, projects, doors, listeners)
        carry = partial(_carry, setting, services.bus, projects, doors, listeners)
        renewal = Renewal(projects, doors, gate, transfer, carry, proxy, detached=setting.detached)
        end = partial(_end, Undertakings(group), projects, ending)
        house = House(
            projects, services, about, end, renewal.renew, names, proxy.report, transfer.leave
        )
        desk = Commands(house, gate)
        port = setting.settings.api_port if setting.port is None else setting.port
        await doors.open(stack, desk, port)
        kept = None if known is None else known.at_work
        bus.publish("daemon_started", pid=os.getpid(), version=about().version, kept=kept)
        where = doors.reason if doors.api_port else "no WebSocket"
        log.info("ready: pid %d, %s", os.getpid(), where)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        ready()
        await ending.wait()
        log.info("ending")
        # Whoever still asks is answered: the doors close when every task has ended.
        await desk.answer(Shutdown())
    log.info("ended")


def _carry(
    setting: Setting,
    bus: Bus,
    projects: Projects,
    doors: Doors,
    listeners: Listeners,
    port: int | None,
) -> CarriedDaemon:
    return CarriedDaemon(
        lock=setting.lock,
        doors=doors.carry(),
        port=setting.port if port is None else port,
        files=shell_files(),
        umask=setting.umask,
        shells=shells_under_way(),
        projects=projects.carry(),
        bus=bus.carry(),
        listeners=tuple(listeners),
    )


async def _end(
    undertakings: Undertakings, projects: Projects, ending: anyio.Event, resume: bool
) -> None:
    async def end() -> None:
        await projects.close(resume=resume)
        ending.set()

    await undertakings.see_through(end)


class _About:
    """Answers who the daemon is."""

    def __init__(self, home: Path, projects: Projects, doors: Doors, listeners: Listeners) -> None:
        self._home = home
        self._listeners = listeners
        self._doors = doors
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
            api_port=self._doors.api_port,
            projects=len(self._projects),
            tasks=sum(len(p.supervisor.crew.members) for p in self._projects if p.supervisor),
            reason=self._doors.reason,
            listeners=self._listeners.report(),
        )


async def _end_orphans(home: Path) -> None:
    """End what a daemon that died has left running, whatever it still wrote down of it."""
    if left := await end_marked(of_home(home)):
        log.warning("an earlier daemon's processes cannot be ended: %s", left)


def _services(home: Path, settings: Settings, bus: Bus, urls: Urls) -> Services:
    plugins = Plugins(
        disabled=settings.disabled_plugins, loading=partial(log.info, "loading the plugin %s")
    )
    services = Services(
        home=home,
        settings=settings,
        bus=bus,
        store=Store(home, partial(_damaged, bus)),
        plugins=plugins,
        ports=Ports(salt=str(home)),
        urls=urls,
        anchor=None if urls.port is None else Anchor(home, settings.ca, os.environ),
    )
    _ = plugins.probes  # asked now, so that what is broken is told at the start
    for name, error in plugins.broken.items():
        bus.publish("plugin_failed", plugin=name, reason=str(error), hint=error.hint)
    return services


def _damaged(bus: Bus, path: Path, why: str) -> None:
    log.warning("set aside %s: %s", path, why)
    bus.publish("state_damaged", path=str(path), reason=why)


@asynccontextmanager
async def _ending(detached: bool) -> AsyncIterator[anyio.Event]:
    """Yield what is set when the daemon is to end."""
    ending = anyio.Event()
    ends = [signal.SIGTERM, signal.SIGINT] if detached else [*ENDS]
    if detached:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # there is no terminal to lose
    async with create_task_group() as group:
        group.start_soon(_watch_signals, ends, ending)
        yield ending
        group.cancel_scope.cancel()


async def _watch_signals(ends: list[signal.Signals], ending: anyio.Event) -> None:
    with open_signal_receiver(*ends) as received:
        async for number in received:
            log.info("got %s", signal.Signals(number).name)
            ending.set()
