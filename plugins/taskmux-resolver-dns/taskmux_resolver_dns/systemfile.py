"""Files of ours in folders of the system, written and removed by root with care.

Every folder above must belong to root alone, so that nobody can put another in its
place meanwhile. Links are not followed. A file is ours by its first line; any other is left as
it is, whatever its name.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT = 65536
"""Bytes of a file that is looked at: ours are short."""

_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotOurs(Exception):
    """There is a file of that name that we did not write."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} was not written by taskmux, so it is left as it is")
        self.add_note(f"move {path} away if you want taskmux to delegate the names")


class Untrusted(Exception):
    """Somebody else than root can change what is in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} can be changed by others than root")
        self.add_note(f"run `sudo chown root {folder}` and `sudo chmod go-w {folder}`")


def write(path: Path, content: str, mark: str, below: Path = Path("/")) -> bool:
    """Make `path` hold `content`; return whether it did not before.

    Its folder is made where it is missing. After a crash the file is the old one or the new.
    Folders are looked at that are `below` this one. Raises `NotOurs`, `Untrusted` or `OSError`.
    """
    with _opened(path.parent, below, make=True) as folder:
        old = _read(path, folder, mark)
        if old == content.encode():
            return False
        _replace(path.name, content.encode(), folder)
        return True


def remove_ours(folder: Path, mark: str, below: Path = Path("/")) -> list[Path]:
    """Remove every file of ours in `folder`; return which. Raises `Untrusted` or `OSError`."""
    if not folder.is_dir():
        return []
    removed = []
    with _opened(folder, below, make=False) as opened:
        with os.scandir(opened) as found:
            names = sorted(entry.name for entry in found)
        for name in names:
            with suppress(NotOurs):
                if _read(folder / name, opened, mark) is not None:
                    os.unlink(name, dir_fd=opened)
                    removed.append(folder / name)
    return removed


@contextmanager
def _opened(folder: Path, below: Path, make: bool) -> Iterator[int]:
    """Open `folder`, each part of its path in turn, and hold it."""
    # Links above are root's own if the folders are: /etc is one on macOS.
    base, parts = Path(os.path.realpath(below)), _parts(folder, below)
    held = os.open(base, _OPEN_FOLDER)
    try:
        for part in parts:
            base /= part
            made = make and _make(part, held)
            inner = os.open(part, _OPEN_FOLDER, dir_fd=held)
            os.close(held)
            held = inner
            if made:
                os.fchmod(held, 0o755)  # whatever the umask left
            _check(base, os.fstat(held))
        yield held
    finally:
        os.close(held)


def _make(name: str, folder: int) -> bool:
    try:
        os.mkdir(name, 0o755, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def _parts(folder: Path, below: Path) -> tuple[str, ...]:
    real, top = Path(os.path.realpath(folder)), Path(os.path.realpath(below))
    return real.relative_to(top).parts


def _check(folder: Path, found: os.stat_result) -> None:
    # Who is not root can only reach what is theirs: then it is theirs to answer for.
    if found.st_uid not in {0, os.geteuid()} or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Untrusted(folder)


def _read(path: Path, folder: int, mark: str) -> bytes | None:
    """Return what is in a file of ours, None where there is no file of that name."""
    try:
        opened = os.open(path.name, _OPEN_FILE, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link, a socket
            raise NotOurs(path) from None
        raise
    try:
        regular = stat.S_ISREG(os.fstat(opened).st_mode)
        content = os.read(opened, LIMIT) if regular else b""
    finally:
        os.close(opened)
    if not content.startswith(f"{mark}\n".encode()):
        raise NotOurs(path)
    return content


def _replace(name: str, content: bytes, folder: int) -> None:
    beside = f".{name}.{os.urandom(8).hex()}"
    opened = os.open(beside, _CREATE, 0o644, dir_fd=folder)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(opened, 0o644)  # whatever the umask left
            os.fsync(opened)
        os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=folder)
        raise
    os.fsync(folder)
