from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.toys import House, open_house
from tests.api.visitors import Door, open_door


@pytest.fixture
async def house(home: Path) -> AsyncIterator[House]:
    async with open_house(home / "daemon.sock") as house:
        yield house


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as door:
        yield door
