"""One daemon at a time for each home, and how the one that starts tells whoever waits."""

from __future__ import annotations

import fcntl
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from taskmux import paths
from taskmux.client.line import answers
from taskmux.errors import DaemonDidNotStart, TaskmuxError
from taskmux.files import (
    Damage,
    make_private,
    make_way,
    read_regular,
    remove_unfinished,
    write_private,
)

PAUSE = 0.05
"""Seconds between two looks at a lock that another daemon holds."""


@contextmanager
def only_one(
    home: Path, *, waits: Callable[[], bool], damaged: Damage, held: int | None = None
) -> Iterator[int]:
    """Hold the home's lock; raise if another daemon has it and still answers.

    For the end of one that does not, it is waited as long as somebody `waits` for ours.

    Yields its descriptor; one that is `held` already is just kept.
    The kernel drops the lock with the process, however that ends: there is
    nothing to clean up after a crash, and no pid to mistake for another's.
    A daemon whose lock was deleted still answers, and counts.
    """
    handle = _lock(home, waits) if held is None else held
    try:
        remove_unfinished(paths.pid(home))
        make_way(paths.pid(home), damaged)
        with suppress(OSError):  # it is for people; the lock is what counts
            write_private(paths.pid(home), f"{os.getpid()}\n".encode())
        yield handle
    finally:
        with suppress(OSError):
            paths.pid(home).unlink()
        os.close(handle)


def _lock(home: Path, waits: Callable[[], bool]) -> int:
    make_private(home)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(home / "daemon.lock", flags, 0o600)
    try:
        while not (free := _taken(handle)) and waits() and not answers(paths.door(home)):
            time.sleep(PAUSE)
        if not free or answers(paths.door(home)):
            raise BlockingIOError
    except BlockingIOError:
        os.close(handle)
        why = f"another daemon runs already (pid {_pid(home) or 'unknown'})"
        raise DaemonDidNotStart(why, (), str(paths.daemon_log(home))) from None
    return handle


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Waiter:
    """Whoever started the daemon and wants to know how that went; told once.

    `pipe` is where it listens, None if nobody does; `lock` is held until it was told.
    """

    def __init__(self, pipe: int | None, lock: int | None = None) -> None:
        self._pipe = pipe
        self._held = [handle for handle in (pipe, lock) if handle is not None]
        for handle in self._held:
            os.set_inheritable(handle, False)

    def waits(self) -> bool:
        """Return whether somebody still listens."""
        if self._pipe is None:
            return False
        poll = select.poll()
        poll.register(self._pipe, 0)  # that nobody can read any more is told unasked
        return not poll.poll(0)

    def ready(self) -> None:
        """Say that the daemon answers."""
        self._tell(b"ready\n")

    def failed(self, error: TaskmuxError) -> None:
        """Say why it will not."""
        said = error.answer() | {"message": str(error)}
        self._tell(msgspec.json.encode(said) + b"\n")

    def _tell(self, line: bytes) -> None:
        if self._pipe is None:
            return
        with suppress(OSError):  # nobody waits any more
            os.write(self._pipe, line)
        self._pipe = None
        while self._held:
            os.close(self._held.pop())


def detach() -> None:
    """Go on in a process that is nobody's child: what ends our parents does not reach it.

    The client made us leader of a session of our own already.
    """
    if os.fork() != 0:
        os._exit(0)


def _pid(home: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(read_regular(paths.pid(home)) or b"")
    return None
