from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.site import QUIET, Site


def make_site(top: Path) -> Site:
    """Return a project and a home in the folder `top`."""
    site = Site(top / "home", top / "shop")
    site.folder.mkdir(parents=True)
    site.home.mkdir(mode=0o700)
    (site.home / "config.toml").write_text(QUIET)
    (site.home / "config.toml").chmod(0o600)
    return site


@pytest.fixture
def site(home: Path) -> Iterator[Site]:
    site = make_site(home.parent)
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
