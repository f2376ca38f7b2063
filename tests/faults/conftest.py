from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import site
from tests.faults.lair import Lair

__all__ = ["lair", "site"]


@pytest.fixture(autouse=True)  # before the site, so that it is cleared after the daemon's end
def lair(tmp_path: Path) -> Iterator[Lair]:
    """Where hostile tasks live; nobody of them does after the test, even if it fails."""
    lair = Lair(tmp_path / "shop")
    yield lair
    lair.clear()
