"""A file replaced at once, by one written beside it: it is the old one or the new one, always."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress

from .descriptor import closing, write_all
from .exchange import exchange
from .held import SAFE, Disturbed, Held

IMPOSSIBLE = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV, errno.EEXIST,
        errno.ENAMETOOLONG, errno.ENOTSUP,
    }
)  # fmt: skip
"""Errors of a folder that cannot be written, of a file that is mounted, as docker's /etc/hosts is,
or has attributes that can be given to no other."""

MEASURED = frozenset({"security.evm", "security.ima"})
"""Attributes that the kernel makes from what is in a file."""


def replace_beside(held: Held, before: bytes, after: bytes) -> bool:
    """Replace the file by one like it with `after` in it, unless it cannot be done; return whether.

    It cannot where the folder may not be written, the file is mounted or has other names, or the
    new one could not be given its owner, mode or attributes. Raises `Disturbed` if `before` is not
    what is in the file any more, or `OSError` where the disk is full; the file is then as it was.
    """
    if os.fstat(held.fd).st_nlink > 1:
        return False
    try:
        _replace(held, before, after)
    except OSError as error:
        if error.errno in IMPOSSIBLE:
            return False
        raise
    with suppress(OSError):  # the file is replaced, if not yet for certain after a power cut
        os.fsync(held.folder)
    return True


def remove_leftover(held: Held) -> None:
    """Delete what a `replace_beside` of the file left when it was killed."""
    with suppress(OSError):
        os.unlink(_beside(held), dir_fd=held.folder)


def _beside(held: Held) -> str:
    # Whoever holds the file is alone, so one name will do, and nothing piles up.
    return f".{held.name}.taskmux-new"


def _replace(held: Held, before: bytes, after: bytes) -> None:
    beside = _beside(held)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE
    fd = os.open(beside, flags, 0o600, dir_fd=held.folder)
    try:
        with closing(fd):
            write_all(fd, after)
            _make_alike(fd, held.fd)
            os.fsync(fd)
        held.confirm(before)
        _put_in_place(held, beside, before)
    except BaseException:
        remove_leftover(held)
        raise


def _put_in_place(held: Held, beside: str, before: bytes) -> None:
    """Give the file at `beside` the name of the one held.

    What has that name may have changed in the moment since it was looked at. So it is not
    replaced but exchanged, looked at again, and exchanged back if it is not what was read.
    """
    if not exchange(held.folder, beside, held.name):
        os.rename(beside, held.name, src_dir_fd=held.folder, dst_dir_fd=held.folder)
        return
    taken = os.stat(beside, dir_fd=held.folder, follow_symlinks=False)
    if not os.path.samestat(taken, os.fstat(held.fd)) or held.read() != before:
        exchange(held.folder, beside, held.name)
        raise Disturbed
    os.unlink(beside, dir_fd=held.folder)


def _make_alike(fd: int, model: int) -> None:
    wanted, found = os.fstat(model), os.fstat(fd)
    if (wanted.st_uid, wanted.st_gid) != (found.st_uid, found.st_gid):
        os.fchown(fd, wanted.st_uid, wanted.st_gid)
    if sys.platform == "linux":
        _copy_attributes(fd, model)
    os.fchmod(fd, stat.S_IMODE(wanted.st_mode))  # last: an access list changes the mode


def _copy_attributes(fd: int, model: int) -> None:
    if sys.platform == "linux":
        wanted, found = _attributes(model), _attributes(fd)
        for name in found.keys() - wanted.keys():
            os.removexattr(fd, name)
        for name, value in wanted.items():
            if found.get(name) != value:
                os.setxattr(fd, name, value)


def _attributes(fd: int) -> dict[str, bytes]:
    if sys.platform == "linux":
        with suppress(OSError):  # a file system without them
            return {name: os.getxattr(fd, name) for name in {*os.listxattr(fd)} - MEASURED}
    return {}
