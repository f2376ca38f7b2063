"""What a file held before it was written in place, kept on disk until that is done."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from .descriptor import closing, read_all, write_all
from .held import LIMIT, SAFE, Held
from .overlay import torn

MAGIC = b"taskmux-hosts 1"


def keep(held: Held, spare: str | None, before: bytes, after: bytes) -> None:
    """Keep what a file is about to go from and to: in its folder, else in `spare`, else nowhere."""
    content = _packed(held, before, after)
    with _folders(held, spare) as folders:
        any(_written(folder, _name(held), content) for folder in folders)


def unfinished(held: Held, spare: str | None) -> bytes | None:
    """Return what was in the file before a write in place that never came to its end.

    None if there was none, or if somebody has changed the file since then.
    """
    found = held.read()
    with _folders(held, spare) as folders:
        for folder in folders:
            texts = _unpacked(held, _kept(folder, _name(held)))
            if texts and torn(found, *texts):
                return texts[0]
    return None


def forget(held: Held, spare: str | None) -> None:
    """Delete what is kept of the file."""
    with _folders(held, spare) as folders:
        for folder in folders:
            with suppress(OSError):
                os.unlink(_name(held), dir_fd=folder)


@contextmanager
def _folders(held: Held, spare: str | None) -> Iterator[list[int]]:
    with ExitStack() as stack:
        folders = [held.folder]
        if spare is not None:
            with suppress(OSError):
                folder = os.open(spare, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                folders.append(stack.enter_context(closing(folder)))
        yield folders


def _name(held: Held) -> str:
    return f".{held.name}.taskmux-backup"


def _packed(held: Held, before: bytes, after: bytes) -> bytes:
    path, texts = os.fsencode(held.path), before + after
    digest = hashlib.sha256(path + texts).hexdigest().encode()
    return b"%s %d %s\n%s" % (MAGIC, len(before), digest, texts)


def _unpacked(held: Held, content: bytes) -> tuple[bytes, bytes] | None:
    """Return both texts; None for what was killed while it was being kept, or another file's."""
    head, _, texts = content.partition(b"\n")
    length = head.removeprefix(MAGIC).strip().partition(b" ")[0]
    if not length.isdigit() or len(length) > len(str(LIMIT)):
        return None
    before, after = texts[: int(length)], texts[int(length) :]
    return (before, after) if _packed(held, before, after) == content else None


def _written(folder: int, name: str, content: bytes) -> bool:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE
    try:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        with closing(os.open(name, flags, 0o600, dir_fd=folder)) as fd:
            write_all(fd, content)
            os.fsync(fd)
    except OSError:
        return False
    return True


def _kept(folder: int, name: str) -> bytes:
    """Return what is kept there; nothing unless it is a file of ours alone."""
    try:
        fd = os.open(name, os.O_RDONLY | SAFE, dir_fd=folder)
    except OSError:
        return b""
    with closing(fd), suppress(OSError):
        found = os.fstat(fd)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            return read_all(fd, 3 * LIMIT)
    return b""
