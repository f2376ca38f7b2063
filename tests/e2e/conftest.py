from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site


@pytest.fixture
def site(home: Path, tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "shop"
    folder.mkdir()
    home.mkdir(mode=0o700)
    # Any free port: many daemons run at once here.
    (home / "config.toml").write_text("api_port = 0\n")
    (home / "config.toml").chmod(0o600)
    site = Site(home, folder)
    yield site
    site.end()


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Callable[[str], Site]:
    """Return another project of the same home, by the name of its folder."""

    def make(name: str) -> Site:
        folder = tmp_path / name
        folder.mkdir()
        return Site(site.home, folder)

    return make
