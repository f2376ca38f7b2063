from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from taskmux_resolver_hosts import held
from taskmux_resolver_hosts.hostsfile import HostsFile
from taskmux_resolver_hosts.place import Place
from taskmux_resolver_hosts.trouble import (
    Busy,
    HostsTrouble,
    LeftAlone,
    NotPermitted,
    NotWritten,
    Unchangeable,
    Unreadable,
    Untrusted,
)

from tests.nobody import NOBODY, as_nobody

USERS = b"127.0.0.1\tlocalhost\n"
LINES = [b"127.0.0.1\tapi.localhost"]
BLOCK = b"# BEGIN taskmux managed\n127.0.0.1\tapi.localhost\n# END taskmux managed\n"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root, whose files these are")


@pytest.fixture
def etc() -> Iterator[Path]:
    """Return a folder that every user can reach, with a hosts file in it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        etc = Path(folder) / "etc"
        etc.mkdir()
        Path(folder).chmod(0o755)
        etc.chmod(0o755)
        (etc / "hosts").write_bytes(USERS)
        (etc / "hosts").chmod(0o644)
        os.utime(etc / "hosts", (0, 0))  # nobody seems to be at it, which would be waited for
        yield etc


def hosts(etc: Path, spare: Path | None = None, *, system: bool = True) -> HostsFile:
    return HostsFile(Place(str(etc / "hosts")), system, None if spare is None else str(spare))


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def hint(trouble: HostsTrouble) -> str:
    [note] = trouble.__notes__
    return note


def test_the_file_is_replaced_by_one_like_it(etc: Path) -> None:
    file = etc / "hosts"
    file.chmod(0o640)
    before = file.stat()
    assert hosts(etc).rewrite(LINES) == USERS + BLOCK
    assert file.read_bytes() == USERS + BLOCK
    after = file.stat()
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )
    assert names(etc) == ["hosts"]


@needs_root
def test_owner_and_attributes_go_along(etc: Path) -> None:
    file = etc / "hosts"
    attributes = {"user.note": b"mine", "security.selinux": b"system_u:object_r:net_conf_t:s0\0"}
    try:
        for name, value in attributes.items():
            os.setxattr(file, name, value)
    except OSError:
        pytest.skip("this file system has no extended attributes")
    os.chown(file, 0, NOBODY)
    file.chmod(0o640)
    hosts(etc).rewrite(LINES)
    assert {name: os.getxattr(file, name) for name in os.listxattr(file)} == attributes
    found = file.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, NOBODY, 0o640)


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_attributes_that_cannot_be_given_are_kept(
    etc: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*given: object) -> None:
        raise OSError(number, os.strerror(number))

    file = etc / "hosts"
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    before = file.stat().st_ino
    monkeypatch.setattr(os, "setxattr", refuse)
    hosts(etc).rewrite(LINES)
    assert file.read_bytes() == USERS + BLOCK
    assert (file.stat().st_ino, os.getxattr(file, "user.note")) == (before, b"mine")
    assert names(etc) == ["hosts"]


def test_a_file_that_is_right_is_not_written(etc: Path) -> None:
    hosts(etc).rewrite(LINES)
    before = (etc / "hosts").stat()
    assert hosts(etc).rewrite(LINES) == USERS + BLOCK
    after = (etc / "hosts").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_with_two_names_keeps_both(etc: Path) -> None:
    os.link(etc / "hosts", etc / "other")
    hosts(etc).rewrite(LINES)
    assert (etc / "other").read_bytes() == USERS + BLOCK
    hosts(etc).rewrite([])
    assert (etc / "other").read_bytes() == USERS
    assert names(etc) == ["hosts", "other"]


@needs_root
def test_in_a_folder_of_somebody_else_it_is_written_in_place(etc: Path, tmp_path: Path) -> None:
    file = etc / "hosts"
    os.chown(file, NOBODY, NOBODY)
    before = file.stat()
    with as_nobody():
        hosts(etc).rewrite(LINES)
        assert file.read_bytes() == USERS + BLOCK
        hosts(etc).rewrite([])
    assert file.read_bytes() == USERS
    assert file.stat().st_ino == before.st_ino


@needs_root
def test_an_owner_that_cannot_be_given_is_kept(etc: Path) -> None:
    # The folder is nobody's, the file root's: a file made beside it would be nobody's.
    os.chown(etc, NOBODY, NOBODY)
    (etc / "hosts").chmod(0o666)
    with as_nobody():
        hosts(etc).rewrite(LINES)
    assert (etc / "hosts").read_bytes() == USERS + BLOCK
    assert (etc / "hosts").stat().st_uid == 0
    assert names(etc) == ["hosts"]


@needs_root
def test_who_may_not_write_is_told_so(etc: Path) -> None:
    with as_nobody(), pytest.raises(NotPermitted, match="may not be written") as raised:
        hosts(etc).rewrite(LINES)
    assert hint(raised.value) == (
        'run `sudo taskmux daemon restart`, or set `host_resolver = "dns_server"`'
    )
    assert (etc / "hosts").read_bytes() == USERS


@needs_root
@pytest.mark.parametrize("flag", ["i", "a"])
def test_an_immutable_file_is_left_alone(etc: Path, flag: str) -> None:
    file = etc / "hosts"
    if not shutil.which("chattr") or subprocess.run(["chattr", f"+{flag}", file]).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        with pytest.raises(Unchangeable, match="immutable") as raised:
            hosts(etc).rewrite(LINES)
    finally:
        subprocess.run(["chattr", f"-{flag}", file], check=True)
    assert '`host_resolver = "dns_server"`, or "noop"' in hint(raised.value)
    assert file.read_bytes() == USERS
    assert names(etc) == ["hosts"]


def test_a_link_is_followed_and_stays(etc: Path) -> None:
    (etc / "hosts").rename(etc / "real")
    (etc / "hosts").symlink_to("real")
    hosts(etc).rewrite(LINES)
    assert (etc / "hosts").readlink() == Path("real")
    assert (etc / "real").read_bytes() == USERS + BLOCK
    assert names(etc) == ["hosts", "real"]


def test_a_link_to_what_is_generated_is_left_alone(etc: Path) -> None:
    store = etc / "store"
    store.mkdir()
    (etc / "hosts").rename(store / "hosts")
    (store / "hosts").chmod(0o444)
    (etc / "hosts").symlink_to(store / "hosts")
    with pytest.raises(Unchangeable, match="something else generates") as raised:
        hosts(etc).rewrite(LINES)
    assert '"dns_server"`, or "noop"' in hint(raised.value)
    assert (etc / "hosts").is_symlink()
    assert (store / "hosts").read_bytes() == USERS
    assert names(store) == ["hosts"]


def theirs(path: Path) -> None:
    os.chown(path, NOBODY, -1)


def open_to_all(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o002)


def open_to_a_group(path: Path) -> None:
    path.chmod(path.stat().st_mode | 0o020)


@needs_root
@pytest.mark.parametrize("whose", ["etc/hosts", "etc"])
@pytest.mark.parametrize("make", [theirs, open_to_all, open_to_a_group])
def test_root_writes_nothing_that_others_rule(
    etc: Path, whose: str, make: Callable[[Path], None]
) -> None:
    place = etc.parent / whose
    make(place)
    with pytest.raises(Untrusted, match=f"{place}") as raised:
        hosts(etc).rewrite(LINES)
    assert hint(raised.value).startswith("run `sudo ch")
    assert (etc / "hosts").read_bytes() == USERS


@needs_root
@pytest.mark.parametrize("target", ["root/precious", "root/new"])
def test_root_follows_no_link_from_where_others_rule(etc: Path, target: str) -> None:
    home, roots = etc.parent / "home", etc.parent / "root"
    home.mkdir()
    roots.mkdir(mode=0o755)
    (roots / "precious").write_bytes(USERS)
    (home / "hosts").symlink_to(etc.parent / target)
    os.chown(home, NOBODY, NOBODY)
    with pytest.raises((Untrusted, Unreadable)):  # where it leads nowhere, nothing is made
        hosts(home, system=False).rewrite(LINES)
    assert (roots / "precious").read_bytes() == USERS
    assert names(roots) == ["precious"]


@needs_root
def test_root_follows_no_folder_that_others_could_exchange(etc: Path) -> None:
    within = etc / "a" / "b"
    within.mkdir(parents=True)
    os.chown(etc / "a", NOBODY, NOBODY)
    own = hosts(within, system=False)
    with pytest.raises(Untrusted, match="/a does not belong to root"):
        own.rewrite(LINES)
    assert names(within) == []
    os.chown(etc / "a", 0, 0)
    own.rewrite(LINES)
    assert names(within) == ["hosts"]


@needs_root
def test_root_follows_no_link_to_where_others_rule(etc: Path) -> None:
    home = etc.parent / "home"
    home.mkdir()
    victim = home / "victim"
    victim.write_bytes(USERS)
    os.chown(home, NOBODY, NOBODY)
    (etc / "hosts").unlink()
    (etc / "hosts").symlink_to(victim)
    with pytest.raises(Untrusted, match="does not belong to root"):
        hosts(etc).rewrite(LINES)
    assert victim.read_bytes() == USERS


def folder(path: Path) -> None:
    path.mkdir()


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path)


def nothing(path: Path) -> None:
    pass


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, held.LIMIT + 1)


@pytest.mark.parametrize("make", [folder, fifo, device, circle, nothing, huge])
def test_what_cannot_be_read_is_not_written(etc: Path, make: Callable[[Path], None]) -> None:
    (etc / "hosts").unlink()
    make(etc / "hosts")
    before = names(etc)
    with pytest.raises(Unreadable, match="cannot be read"):
        hosts(etc).rewrite(LINES)
    with pytest.raises(Unreadable, match="cannot be read"):
        hosts(etc).read()
    assert names(etc) == before


@pytest.mark.parametrize("content", [b"# BEGIN taskmux managed\n", b"\xff\xfea\0", b"a\0"])
def test_text_that_cannot_be_edited_is_left_alone(etc: Path, content: bytes) -> None:
    (etc / "hosts").write_bytes(content)
    with pytest.raises(LeftAlone, match=f"{etc}/hosts was left alone: ") as raised:
        hosts(etc).rewrite(LINES)
    assert "sudo taskmux daemon restart" in hint(raised.value)
    assert (etc / "hosts").read_bytes() == content


def test_only_a_file_of_the_user_s_own_is_made(etc: Path) -> None:
    (etc / "hosts").unlink()
    own = hosts(etc, system=False)
    own.rewrite([])
    assert names(etc) == []
    own.rewrite(LINES)
    assert (etc / "hosts").read_bytes() == BLOCK
    own.rewrite([])
    assert (etc / "hosts").read_bytes() == b""


def test_a_lock_of_somebody_else_is_not_waited_for_for_ever(etc: Path) -> None:
    impatient = HostsFile(Place(str(etc / "hosts")), system=True, patience=0.1)
    with (etc / "hosts").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with pytest.raises(Busy, match="keeps a lock on"):
            impatient.rewrite(LINES)
    assert (etc / "hosts").read_bytes() == USERS
    hosts(etc).rewrite(LINES)
    assert (etc / "hosts").read_bytes() == USERS + BLOCK


@pytest.mark.parametrize("other", ["", "another"])
def test_leftovers_are_removed_and_never_followed(etc: Path, other: str) -> None:
    victim = etc / "victim"
    victim.write_bytes(b"precious")
    if other:
        os.link(etc / "hosts", etc / other)
    (etc / ".hosts.taskmux-new").symlink_to(victim)
    (etc / ".hosts.taskmux-backup").symlink_to(victim)
    hosts(etc).rewrite(LINES)
    assert victim.read_bytes() == b"precious"
    assert names(etc) == [name for name in (other, "hosts", "victim") if name]
    (etc / ".hosts.taskmux-new").write_bytes(b"half")
    hosts(etc).rewrite(LINES)
    assert names(etc) == [name for name in (other, "hosts", "victim") if name]


def test_what_is_in_the_way_of_a_new_file_is_gone_around(etc: Path) -> None:
    (etc / ".hosts.taskmux-new").mkdir()
    hosts(etc).rewrite(LINES)
    assert (etc / "hosts").read_bytes() == USERS + BLOCK


@contextmanager
def no_larger_files_than(size: int) -> Iterator[None]:
    import resource
    import signal

    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    deaf = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
        signal.signal(signal.SIGXFSZ, deaf)


@pytest.mark.parametrize("other", ["", "another"], ids=["replaced", "in place"])
def test_a_write_that_fails_in_the_middle_leaves_the_file_as_it_was(etc: Path, other: str) -> None:
    if other:
        os.link(etc / "hosts", etc / other)
    with no_larger_files_than(len(USERS) + 10), pytest.raises(NotWritten) as raised:
        hosts(etc).rewrite(LINES)
    assert os.strerror(errno.EFBIG) in str(raised.value)
    assert (etc / "hosts").read_bytes() == USERS
    assert names(etc) == [name for name in (other, "hosts") if name]
