from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from taskmux.projects import Projects
from taskmux.supervisor import Services
from tests.projects.estate import Ear, make_services

Opened = Callable[[], AbstractAsyncContextManager[tuple[Projects, Ear]]]


@pytest.fixture
def services(home: Path) -> Services:
    return make_services(home)


@pytest.fixture
def opened(services: Services) -> Opened:
    """Opens the projects of this home, as a daemon does; again and again if need be."""

    @asynccontextmanager
    async def open_projects() -> AsyncIterator[tuple[Projects, Ear]]:
        with anyio.fail_after(50):
            async with Projects.open(services) as projects:
                yield projects, Ear(services.bus)

    return open_projects
