"""A daemon's Unix door with real projects behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from taskmux.api.commands import Commands, House
from taskmux.api.unix import open_unix_door
from taskmux.daemon.naming import Naming
from taskmux.errors import NotRenewed
from taskmux.projects import Projects
from taskmux.supervisor import Services
from taskmux.wire import PROTOCOL, DaemonReport, ProxyReport, Renew
from tests.api.toys import Client


def about() -> DaemonReport:
    return DaemonReport(
        running=True, pid=1, version="0", protocol=PROTOCOL, started_at=None, home="",
        api_port=None, projects=0, tasks=0, reason="",
    )  # fmt: skip


class Place:
    """Who answers there, and clients that ask."""

    def __init__(self, services: Services, house: House, door: Path) -> None:
        self.bus = services.bus
        self.house = house
        self.projects = house.projects
        self.door = door

    @asynccontextmanager
    async def subscriber(self, **params: object) -> AsyncIterator[Client]:
        async with await anyio.connect_unix(self.door) as stream:
            client = Client(stream)
            await client.say({"command": "subscribe", "params": params})
            assert (await client.hear())["ok"]
            yield client

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        async with await anyio.connect_unix(self.door) as stream:
            yield Client(stream)

    async def ask(self, command: str, **params: object) -> dict[str, Any]:
        async with self.client() as client:
            await client.say({"command": command, "params": params})
            return await client.hear()


async def never(request: Renew) -> None:
    """Refuse to be restarted: this is no process of its own."""
    raise NotRenewed(f"not with port {request.port} either", [])


def no_proxy() -> ProxyReport:
    """Report that there is none."""
    return ProxyReport(bound=False, port=None, reason="not here")


async def nothing(path: Path) -> None:
    """Leave nothing: there are no listeners here."""


@asynccontextmanager
async def open_place(
    services: Services, proxy: Callable[[], ProxyReport] = no_proxy
) -> AsyncIterator[Place]:
    home = services.home
    door = home / "daemon.sock"
    with anyio.fail_after(50):
        async with Projects.open(services) as projects:
            names = Naming(services, projects)
            house = House(
                projects,
                services,
                about,
                lambda _: projects.close(),
                never,
                names,
                proxy,
                nothing,
            )
            async with open_unix_door(door, Commands(house), home / "daemon.log"):
                yield Place(services, house, door)
