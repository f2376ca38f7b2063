from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from taskmux_resolver_hosts import beside
from taskmux_resolver_hosts.exchange import exchange
from taskmux_resolver_hosts.hostsfile import HostsFile
from taskmux_resolver_hosts.place import Place
from taskmux_resolver_hosts.trouble import Busy

USERS = b"127.0.0.1\tlocalhost\n"
MORE = b"10.0.0.1\tprinter\n"
LINES = [b"127.0.0.1\tapi.localhost"]
BLOCK = b"# BEGIN taskmux managed\n127.0.0.1\tapi.localhost\n# END taskmux managed\n"

Edit = Callable[[Path], object]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "hosts"
    path.parent.mkdir()
    path.write_bytes(USERS)
    os.utime(path, (0, 0))  # nobody seems to be at it, which would be waited for
    return path


@contextmanager
def meanwhile(place: Any, call: str, work: Callable[[], object], times: int = 1) -> Iterator[None]:
    """Have somebody else do `work` in the moment of the first calls of a function."""
    real, left = getattr(place, call), [work] * times

    def called(*args: Any, **options: Any) -> Any:
        if left:
            left.pop()()
        return real(*args, **options)

    setattr(place, call, called)
    try:
        yield
    finally:
        setattr(place, call, real)
    assert not left, f"{call} was never called"


def append(file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(MORE)


def write_anew(file: Path) -> None:
    file.write_bytes(file.read_bytes() + MORE)


def replace(file: Path) -> None:
    beside = file.with_name("editor")
    beside.write_bytes(file.read_bytes() + MORE)
    beside.rename(file)


def rewrite(file: Path) -> None:
    HostsFile(Place(str(file)), system=True).rewrite(LINES)


def names(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.iterdir())


@pytest.mark.parametrize("edit", [append, write_anew, replace])
def test_lines_that_come_while_the_file_is_replaced_stay(file: Path, edit: Edit) -> None:
    with meanwhile(os, "fsync", lambda: edit(file)):
        rewrite(file)
    assert file.read_bytes() == USERS + MORE + BLOCK
    assert names(file) == ["hosts"]


def exchangeable(folder: Path) -> bool:
    """Return whether two files can be exchanged here, having seen that they are then."""
    one, other = folder / "one", folder / "other"
    one.write_text("1")
    other.write_text("2")
    held = os.open(folder, os.O_RDONLY)
    try:
        possible = exchange(held, "one", "other")
    finally:
        os.close(held)
    assert (one.read_text(), other.read_text()) == (("2", "1") if possible else ("1", "2"))
    one.unlink()
    other.unlink()
    return possible


def test_what_is_not_there_cannot_be_exchanged(tmp_path: Path) -> None:
    if not exchangeable(tmp_path):
        pytest.skip("this system cannot exchange two files in one step")
    (tmp_path / "one").touch()
    held = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileNotFoundError):
            exchange(held, "one", "other")
    finally:
        os.close(held)


@pytest.mark.parametrize("edit", [append, write_anew, replace])
def test_lines_that_come_in_the_last_moment_stay(file: Path, edit: Edit) -> None:
    if not exchangeable(file.parent):
        pytest.skip("this system cannot exchange two files in one step")
    with meanwhile(beside, "exchange", lambda: edit(file)):
        rewrite(file)
    assert file.read_bytes() == USERS + MORE + BLOCK
    assert names(file) == ["hosts"]


def test_where_files_cannot_be_exchanged_they_are_replaced(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.stat().st_ino
    monkeypatch.setattr(beside, "exchange", lambda folder, one, other: False)
    rewrite(file)
    assert file.read_bytes() == USERS + BLOCK
    assert file.stat().st_ino != before
    assert names(file) == ["hosts"]


@pytest.mark.parametrize("edit", [append, write_anew])
def test_lines_that_come_before_it_is_written_in_place_stay(file: Path, edit: Edit) -> None:
    os.link(file, file.with_name("other"))
    with meanwhile(os, "fsync", lambda: edit(file)):
        rewrite(file)
    assert file.read_bytes() == USERS + MORE + BLOCK
    assert names(file) == ["hosts", "other"]


def test_a_file_that_is_just_being_written_is_waited_for(file: Path) -> None:
    with file.open("wb", buffering=0) as editor:  # empty now, as editors leave it for a moment
        fresh = meanwhile(os, "unlink", lambda: os.utime(file))
        with fresh, meanwhile(time, "sleep", lambda: editor.write(USERS)):
            rewrite(file)
    assert file.read_bytes() == USERS + BLOCK


def test_a_file_that_never_rests_is_given_up(file: Path) -> None:
    busy = meanwhile(os, "fsync", lambda: append(file), times=5)
    with busy, pytest.raises(Busy, match="another program keeps writing to"):
        rewrite(file)
    assert file.read_bytes() == USERS + MORE * 5
    assert names(file) == ["hosts"]


def test_several_of_us_take_turns(file: Path) -> None:
    def publish(number: int) -> bytes:
        lines = [b"127.0.0.%d\tapi.localhost" % number]
        return HostsFile(Place(str(file)), system=True, patience=20).rewrite(lines)

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(publish, range(1, 9)))
    assert file.read_bytes() in made
    assert all(one.startswith(USERS) and one.count(b"\n") == 4 for one in made)
    assert names(file) == ["hosts"]
