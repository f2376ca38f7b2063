from __future__ import annotations

from pathlib import Path
from uuid import RFC_4122, UUID

import pytest

from taskmux.processes.marker import akin, new_marker, of_home


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    return one, other


def test_a_marker_is_random_and_tells_its_home(homes: tuple[Path, Path]) -> None:
    one, other = homes
    marker = new_marker(one)
    # Only such a one fits into a badge.
    assert (UUID(marker).version, UUID(marker).variant) == (4, RFC_4122)
    assert new_marker(one) != marker
    assert of_home(one)(marker)
    assert not of_home(other)(marker)


def test_what_is_run_aside_is_of_the_same_home(homes: tuple[Path, Path]) -> None:
    one, other = homes
    marker = new_marker(one)
    assert akin(marker) != marker
    assert of_home(one)(akin(marker))
    assert not of_home(one)(akin(None))
    assert not of_home(one)(akin(new_marker(other)))


def test_a_home_is_the_same_by_each_of_its_names(homes: tuple[Path, Path]) -> None:
    one, _ = homes
    name = one.with_name("name")
    name.symlink_to(one)
    assert of_home(name)(new_marker(one))


def test_a_home_in_the_place_of_another_is_another(homes: tuple[Path, Path]) -> None:
    one, other = homes
    marker = new_marker(one)
    one.rename(one.with_name("before"))
    other.rename(one)
    assert not of_home(one / ".." / one.name)(marker)
