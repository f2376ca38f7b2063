"""One hosts file, open for writing and locked."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from .descriptor import closing, read_all
from .trouble import Busy, NotPermitted, Unchangeable, Unreadable, Untrusted

LIMIT = 64 * 1024 * 1024
"""Bytes of a file that is no hosts file any more."""

QUIET = 0.1
"""Seconds without a change after which a file is not in the middle of one."""

SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Disturbed(Exception):
    """Somebody else changed the file meanwhile; nothing has been written."""


@dataclass(frozen=True, slots=True)
class Held:
    """The file behind a path, links followed, and the folder it is in."""

    path: str
    """What the user calls it."""

    folder: int
    name: str
    fd: int

    def read(self) -> bytes:
        """Return all that is in the file; raise `Unreadable`."""
        try:
            return read_all(self.fd, LIMIT)
        except OSError as error:
            raise _unreadable(self.path, error) from None

    def current(self) -> bool:
        """Return whether the file still is what its name stands for."""
        try:
            now = os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(now, os.fstat(self.fd))

    def confirm(self, before: bytes) -> None:
        """Raise `Disturbed` if the file is no longer the one that was read, with `before` in it."""
        if not self.current() or self.read() != before:
            raise Disturbed

    def settle(self) -> None:
        """Wait until nobody is at writing the file; raise `Disturbed` if that takes too long.

        Editors empty a file before they fill it: what was read between is not what is meant.
        """
        for _ in range(10):
            age = time.time() - os.fstat(self.fd).st_mtime
            if not 0 <= age < QUIET:
                return
            time.sleep(QUIET - age)
        raise Disturbed


@contextmanager
def hold(path: str, patience: float) -> Iterator[Held]:
    """Yield the file at `path`, with its lock, for which we wait at most `patience` seconds.

    Raises `Disturbed`, or `HostsTrouble` if it cannot be read and written. As root, only what
    root alone can write is taken: a link may lead where somebody else rules.
    """
    deadline = time.monotonic() + patience
    while True:
        with ExitStack() as stack:
            held = _open(path, os.O_RDWR, stack)
            _lock(held, deadline)
            if held.current():
                yield held
                return


def read_only(path: str) -> bytes:
    """Return what is in the file at `path`, which others may be writing; raise `Unreadable`."""
    try:
        with ExitStack() as stack:
            return _open(path, os.O_RDONLY, stack).read()
    except Disturbed:
        raise Unreadable(path, "it was replaced while it was being opened") from None


def create(path: str) -> None:
    """Make an empty file for everybody to read, unless there is one; raise `HostsTrouble`."""
    try:
        real = Path(os.path.realpath(path))
        _check_folders(path, real)
        os.close(os.open(real, os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE, 0o644))
    except FileExistsError:
        pass
    except OSError as error:
        raise _refusal(path, error) from None


def _open(path: str, mode: int, stack: ExitStack) -> Held:
    # Links are followed here and never again: from now on the folder is a descriptor.
    try:
        real = Path(os.path.realpath(path, strict=True))
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.enter_context(closing(folder))
        found = os.stat(real.name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(path, "it is not a regular file")
        if mode == os.O_RDWR:
            _check(path, real, found, os.fstat(folder))
        fd = os.open(real.name, mode | SAFE, dir_fd=folder)
        stack.enter_context(closing(fd))
    except OSError as error:
        raise (_refusal if mode == os.O_RDWR else _unreadable)(path, error) from None
    if not os.path.samestat(os.fstat(fd), found):
        raise Disturbed
    return Held(path, folder, real.name, fd)


def _check(path: str, real: Path, file: os.stat_result, folder: os.stat_result) -> None:
    if Path(path).is_symlink() and not file.st_mode & 0o222:
        raise Unchangeable(path, f"it is a link to {real}, which something else generates")
    _check_folders(path, real)
    _check_ruled(path, real.parent, folder)
    _check_ruled(path, real, file)


def _check_folders(path: str, real: Path) -> None:
    """Raise `Untrusted`, as root, for a folder where others could exchange what leads to a file."""
    for place in dict.fromkeys((*Path(path).parents, *real.parents)):
        found = place.stat()
        if not found.st_mode & stat.S_ISVTX or found.st_uid != 0:  # as /tmp is: all make, none move
            _check_ruled(path, place, found)


def _check_ruled(path: str, place: Path, found: os.stat_result) -> None:
    if os.geteuid() != 0:
        return
    if found.st_uid != 0:
        raise Untrusted(path, f"{place} does not belong to root", f"chown root {quote(str(place))}")
    if found.st_mode & 0o022:
        remedy = f"chmod go-w {quote(str(place))}"
        raise Untrusted(path, f"others than root may write {place}", remedy)


def _refusal(path: str, error: OSError) -> Exception:
    match error.errno:
        case errno.EACCES:
            return NotPermitted(path)
        case errno.EPERM:  # who merely lacks a permission gets EACCES
            return Unchangeable(path, "it is marked immutable (`lsattr` or `ls -lO` shows it)")
        case errno.EROFS:
            real = os.path.realpath(path)
            leads = "" if real == path else f"leads to {real}, and "
            return Unchangeable(path, f"it {leads}is on a read-only file system")
        case _:
            return _unreadable(path, error)


def _unreadable(path: str, error: OSError) -> Exception:
    return Unreadable(path, os.strerror(error.errno or errno.EIO))


def _lock(held: Held, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(held.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A lock that is waited for cannot be given up again, in a thread.
            if time.monotonic() > deadline:
                raise Busy(held.path, "keeps a lock on") from None
            time.sleep(0.02)
        except OSError:
            return None  # a file system without locks; changes by others are looked for anyway
