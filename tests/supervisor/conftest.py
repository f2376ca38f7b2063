from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from taskmux.project import parse
from taskmux.supervisor import Services, Supervisor
from tests.projects.estate import make_services

Opened = Callable[[str], AbstractAsyncContextManager[Supervisor]]


@pytest.fixture
def services(home: Path) -> Services:
    return make_services(home)


@pytest.fixture
def opened(services: Services, tmp_path: Path) -> Opened:
    """Opens the project `shop` with these tables, as each daemon does; again if need be."""
    folder = tmp_path / "shop"
    folder.mkdir()

    @asynccontextmanager
    async def open_supervisor(tables: str) -> AsyncIterator[Supervisor]:
        config = parse(f'name = "shop"\n{tables}', "taskmux.toml")
        with anyio.fail_after(50):
            async with Supervisor.open("shop", folder, config, services) as supervisor:
                yield supervisor

    return open_supervisor
