from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from taskmux_resolver_dns.systemfile import NotOurs, Untrusted, remove_ours, write

MARK = "# ours"
OURS = f"{MARK}\none\n"
OTHER = f"{MARK}\ntwo\n"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_made_with_its_folders_for_all_to_read(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "resolver" / "test"
    before = os.umask(0o077)
    try:
        assert write(path, OURS, MARK, tmp_path) is True
    finally:
        os.umask(before)
    assert path.read_text() == OURS
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    for folder in path.parents[:2]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert names(path.parent) == ["test"]


def test_what_is_right_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "test"
    assert write(path, OURS, MARK, tmp_path)
    first = path.stat().st_ino
    assert write(path, OURS, MARK, tmp_path) is False
    assert path.stat().st_ino == first
    assert write(path, OTHER, MARK, tmp_path) is True
    assert path.read_text() == OTHER


@pytest.mark.parametrize("content", ["", "nameserver 10.0.0.1\n", " # ours\n", "# ours too\n"])
def test_a_file_of_somebody_else_stays(tmp_path: Path, content: str) -> None:
    path = tmp_path / "test"
    path.write_text(content)
    with pytest.raises(NotOurs, match="was not written by taskmux"):
        write(path, OURS, MARK, tmp_path)
    assert remove_ours(tmp_path, MARK, tmp_path) == []
    assert path.read_text() == content
    assert names(tmp_path) == ["test"]


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "fifo", "socket"])
def test_what_is_no_file_stays(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "resolver"
    folder.mkdir()
    target, path = tmp_path / "target", folder / "test"
    with socket.socket(socket.AF_UNIX) as bound:
        match kind:
            case "link":
                target.write_text(OTHER)
                path.symlink_to(target)
            case "dangling":
                path.symlink_to(target)
            case "folder":
                path.mkdir()
            case "fifo":
                os.mkfifo(path)
            case "socket":
                bound.bind(os.path.relpath(path))
        before = os.lstat(path)
        with pytest.raises(NotOurs):
            write(path, OURS, MARK, tmp_path)
        assert remove_ours(folder, MARK, tmp_path) == []
        assert os.lstat(path).st_ino == before.st_ino
    assert not target.exists() or target.read_text() == OTHER


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_may_change_is_not_trusted(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "open" / "inner"
    folder.mkdir(parents=True)
    (folder / "mine").write_text(OURS)
    folder.parent.chmod(mode)
    for act in (lambda: write(folder / "test", OURS, MARK, tmp_path), lambda: remove(folder)):
        with pytest.raises(Untrusted, match="open can be changed by others"):
            act()
    assert names(folder) == ["mine"]


def remove(folder: Path) -> list[Path]:
    return remove_ours(folder, MARK, folder.parent.parent)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root, to make a folder somebody else's")
def test_a_folder_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "resolver"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    with pytest.raises(Untrusted):
        write(folder / "test", OURS, MARK, tmp_path)
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(Untrusted):
        write(link / "test", OURS, MARK, tmp_path)
    assert names(folder) == []


def test_a_link_above_is_followed_where_it_is_to_be_trusted(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "etc").symlink_to("private")  # as on macOS
    assert write(tmp_path / "etc" / "test", OURS, MARK, tmp_path)
    assert (tmp_path / "private" / "test").read_text() == OURS


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "test"
    write(path, OURS, MARK, tmp_path)
    with pytest.raises(UnicodeEncodeError):
        write(path, "\ud800", MARK, tmp_path)
    assert path.read_text() == OURS
    assert names(tmp_path) == ["test"]


def test_all_of_ours_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("x")
    for name in ("b", "a"):
        write(tmp_path / name, OURS, MARK, tmp_path)
    assert remove_ours(tmp_path, MARK, tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert names(tmp_path) == ["theirs"]
    assert remove_ours(tmp_path, MARK, tmp_path) == []
    assert remove_ours(tmp_path / "missing", MARK, tmp_path) == []
