from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from taskmux.errors import NothingLeft
from taskmux.files import make_private, passed, read_private, read_text, set_aside, write_private
from tests.projects.estate import no_more_files


class Damage:
    def __init__(self) -> None:
        self.told: list[tuple[Path, str]] = []

    def __call__(self, path: Path, why: str) -> None:
        self.told.append((path, why))


def test_only_the_owner_may_read_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    write_private(path, b'["x"]')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_private(path, list[str], Damage()) == ["x"]


def test_no_file_is_no_damage(tmp_path: Path) -> None:
    damage = Damage()
    assert read_private(tmp_path / "none", list[str], damage) is None
    assert damage.told == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    (path / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_private(path, b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b"\0" * 4096, b"\xff", b"[1]"])
def test_a_damaged_file_is_set_aside_with_all_that_is_in_it(content: bytes, tmp_path: Path) -> None:
    path, damage = tmp_path / "state.json", Damage()
    path.write_bytes(content)
    assert read_private(path, list[str], damage) is None
    [(aside, why)] = damage.told
    assert why
    assert aside.name.startswith("state.json.corrupt-")
    assert aside.read_bytes() == content
    assert not path.exists()


def test_what_cannot_be_read_for_want_of_descriptors_is_not_damaged(tmp_path: Path) -> None:
    path, damage = tmp_path / "state.json", Damage()
    write_private(path, b'["x"]')
    with no_more_files(), pytest.raises(OSError, match="Too many open files"):
        read_private(path, list[str], damage)
    assert read_private(path, list[str], damage) == ["x"]
    assert damage.told == []


def test_what_cannot_be_set_aside_is_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)  # no name can be that much longer
    path.touch()
    assert set_aside(path) == path
    assert path.exists()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.with_name("secret").write_text('["x"]')
    path.symlink_to("secret")


@pytest.mark.parametrize("make", [fifo, link, Path.mkdir])
def test_what_is_not_a_file_is_set_aside_without_being_followed(
    make: object, tmp_path: Path
) -> None:
    path, damage = tmp_path / "state.json", Damage()
    assert callable(make)
    make(path)
    assert read_private(path, list[str], damage) is None
    assert len(damage.told) == 1
    assert not os.path.lexists(path)


def test_a_private_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_file_that_could_not_be_opened_for_now_is_not_called_wrong(tmp_path: Path) -> None:
    (tmp_path / "taskmux.toml").write_text("")
    with no_more_files(), pytest.raises(NothingLeft):
        read_text(tmp_path / "taskmux.toml")


def test_what_is_passed_on_the_way_is_every_folder_and_link(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "first").symlink_to("a/second")
    (tmp_path / "a" / "second").symlink_to(tmp_path / "a" / ".." / "a" / "b")
    seen = [*passed(tmp_path / "first" / "none" / "x")]
    for place in ("first", "a", "a/second", "a/b", "a/b/none"):
        assert tmp_path / place in seen
    assert (seen[0], seen[-1]) == (Path("/"), inner / "none" / "x")
    (tmp_path / "loop").symlink_to("loop")
    assert tmp_path / "loop" / "x" in [*passed(tmp_path / "loop" / "x")]
