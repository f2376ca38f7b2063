"""Starts the daemon, exactly one however many ask at once, and waits until it is really gone.

The daemon is handed a pipe, and writes one line into it: `ready`, or the error
that keeps it from starting, as JSON. It is handed the lock as well, and holds it
until then: whoever comes second finds a daemon that answers, even if whoever came
first was killed in between.
"""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from taskmux import paths
from taskmux.errors import DaemonDidNotStart, Refused, TaskmuxError
from taskmux.lock import alone
from taskmux.scarcity import unusable

from .line import answers

PATIENCE = 60.0
"""How long a daemon may take to say that it is ready, and a start by somebody else to end."""

_NO_FILE = {errno.EACCES, errno.EISDIR, errno.ELOOP, errno.ENXIO}
"""What a file that is another's, a folder, a link, and a FIFO or a socket answer."""

TAIL = 10
"""Lines of the daemon's log in an error."""


def launch(home: Path, environ: Mapping[str, str], *options: str, keep: Sequence[int] = ()) -> bool:
    """Start the daemon of `home`, and return once it answers; False if one did already.

    It inherits the descriptors in `keep`, which its `options` tell it of.

    Raises `DaemonDidNotStart`, or the daemon's own reason as `Refused`.
    """
    try:
        with alone(home / "starting.lock", PATIENCE) as lock:
            if answers(paths.door(home)):
                return False
            try:
                _spawn(home, environ, options, (lock, *keep))
            except TaskmuxError:
                # One that could not be reached, as its socket was deleted, may be back by now.
                if answers(paths.door(home)):
                    return False
                raise
            return True
    except TimeoutError:
        why = f"one that somebody else is starting was not ready within {PATIENCE:g} s"
        raise _did_not_start(why, home) from None
    except OSError as error:
        raise DaemonDidNotStart(unusable(home, error), (), str(paths.daemon_log(home))) from None


@contextmanager
def outlasting(pid: int) -> Iterator[None]:
    """On leaving the block, wait until the process that is `pid` on entering it has ended."""
    try:
        handle = os.pidfd_open(pid) if sys.platform == "linux" else None
    except OSError:  # it has ended already
        yield
        return
    if handle is None:
        yield
        _outwait(pid)
    else:
        with os.fdopen(handle) as process:
            yield
            select.select([process], [], [])


def _spawn(
    home: Path, environ: Mapping[str, str], options: Sequence[str], handed: tuple[int, ...]
) -> None:
    lock, *_ = handed
    ours = {key: value for key, value in environ.items() if not key.startswith("TASKMUX_")}
    ready, told = os.pipe()
    try:
        log = _open_log(paths.daemon_log(home))
    except OSError:
        os.close(ready)
        os.close(told)
        raise
    held = ["--ready-fd", str(told), "--lock-fd", str(lock)]
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "taskmux.daemon", *held, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ours | {"TASKMUX_HOME": str(home)},
            pass_fds=(told, *handed),
            start_new_session=True,
        )
    finally:
        os.close(told)
        os.close(log)
    with os.fdopen(ready, "rb", buffering=0) as pipe:
        line = _first_line(pipe.fileno())
    if line is None:
        child.kill()
    # The daemon is a grandchild; what we started ends once it has said its line.
    child.wait()
    if line is None or line.strip() != b"ready":
        raise _why_not(line, home)


def _open_log(log: Path) -> int:
    # Without NONBLOCK, opening a FIFO would wait for a reader for ever.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW
    try:
        handle = os.open(log, flags, 0o600)
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        # The daemon sets it aside, and opens one of its own.
        return os.open(os.devnull, os.O_WRONLY)
    os.set_blocking(handle, True)
    return handle


def _first_line(pipe: int) -> bytes | None:
    until = time.monotonic() + PATIENCE
    said = b""
    while b"\n" not in said:
        if not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            return None
        if not (more := os.read(pipe, 65536)):
            break
        said += more
    return said.partition(b"\n")[0]


def _why_not(line: bytes | None, home: Path) -> TaskmuxError:
    with suppress(msgspec.MsgspecError, KeyError):
        return Refused(msgspec.json.decode(line or b"", type=dict[str, Any]))
    why = f"it was not ready within {PATIENCE:g} s" if line is None else "it ended too early"
    return _did_not_start(why, home)


def _did_not_start(why: str, home: Path) -> DaemonDidNotStart:
    log = paths.daemon_log(home)
    return DaemonDidNotStart(why, _last_lines(log), str(log))


def _last_lines(log: Path) -> list[str]:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
    with suppress(OSError), os.fdopen(os.open(log, flags), "rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 16384))
        return file.read().decode(errors="replace").splitlines()[-TAIL:]
    return []


def _outwait(pid: int) -> None:
    # Only where the kernel cannot tell us: it is nobody's child that we could wait for.
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
