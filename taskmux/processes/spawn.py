"""Makes shells: each leads a session of its own, and is watched until it is reaped."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from anyio import wait_readable

from . import badge, native
from .model import MARKER
from .terminal import Terminal

HARMLESS = {signal.SIGKILL, signal.SIGSTOP}
"""The signals that nobody can ignore, and so nobody need reset."""

RESET = signal.valid_signals() - HARMLESS  # 63 enum members: too dear to make for each shell

_files: int | None = None
_umask: int | None = None
_at_work: set[str] = set()


ROOM = 8
"""Descriptors that are left when a process is made: to watch it, and to end it, takes some."""


class NoFolder(OSError):
    """The folder to run in cannot be entered; `errno`, `strerror` and `filename` say why."""


class Child:
    """A shell we made, leader of the session and of the process group `pid`.

    Until `reap` the system keeps `pid` for it, also after its death: so nobody
    else can be hit by a signal meant for it or its group.
    """

    def __init__(self, pid: int, run_id: str) -> None:
        """Watch `pid`, a child of ours that is not reaped yet, by its marker. See `spawn`."""
        self.pid = pid
        self.started = native.started(pid) or 0
        self._run_id = run_id
        self._exit_fd: int | None = native.exit_fd(pid)
        _at_work.add(run_id)

    async def exited(self) -> int:
        """Return its status once it has ended, negative for a signal; it stays unreaped.

        One caller at a time.
        """
        if self._exit_fd is None:
            raise ProcessLookupError(errno.ESRCH, "reaped already")
        await wait_readable(self._exit_fd)
        return native.peek_status(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its group; SIGTERM also wakes those that are stopped.

        Nothing happens if nobody is left, or nobody that we may signal.
        """
        if self._exit_fd is None:
            return
        # macOS says EPERM where all that is left of a group is zombies.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
            if number is signal.SIGTERM:  # a stopped process would take it only once continued
                os.killpg(self.pid, signal.SIGCONT)

    def reap(self) -> None:
        """Let go of it, after `exited`: from here on `pid` may be anybody's.

        Doing it again changes nothing.
        """
        if self._exit_fd is None:
            return
        os.close(self._exit_fd)
        self._exit_fd = None
        _at_work.discard(self._run_id)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)  # never blocks the daemon, if called too early


def runs_at_work() -> frozenset[str]:
    """Return the markers of what we have made and not reaped: what carries one is no leftover.

    It holds as long as nothing is awaited: runs come and go at any time.
    """
    return frozenset(_at_work)


def remember_limits(files: int | None = None) -> None:
    """Raise the soft limit of open files to the hard one; shells are given the old one.

    Programs that use select() break where a descriptor can be over 1023. `files` is
    the old one if it was raised before this program was executed. The badge of a task
    that started us is shed.
    """
    global _files
    badge.shed()
    if files is not None:
        _files = files
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    _files = soft
    for limit in (hard, 10240):  # macOS refuses more, though it calls the limit infinite
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


def remember_umask(umask: int) -> None:
    """Have shells begin with the umask of whoever started us; our own keeps others out."""
    global _umask
    _umask = umask


def shell_files() -> int | None:
    """Return the soft limit of open files that shells are given; None if it is our own."""
    return _files


def spawn(
    command: str,
    *,
    cwd: Path,
    environ: Mapping[str, str],
    terminal: Terminal | None = None,
    output: int | None = None,
) -> Child:
    """Run `/bin/sh -c command` as leader of a new session, all signals at their defaults.

    `terminal` becomes its input, output and controlling terminal, and our end of
    the slave is released. Without one it reads nothing, and prints to `output`.
    Raise `NoFolder` for `cwd`, another `OSError` if no process can be made. Call
    it from the main thread.
    """
    # Ignored by whoever started us, no exit status would ever reach us.
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _check_room()
    slave = None if terminal is None else terminal.slave_path
    argv = _shell(command, slave)
    with _inside(cwd), _permissive(), badge.worn(environ.get(MARKER, "")):
        pid = _make(argv, environ, _plugged(slave, output))
    if terminal is not None:
        terminal.release_slave()
    return _watched(pid, environ.get(MARKER, ""))


def _check_room() -> None:
    held: list[int] = []
    try:
        while len(held) < ROOM:
            held.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for handle in held:
            os.close(handle)


def _shell(command: str, slave: str | None) -> list[str]:
    before = ""
    if slave is not None and sys.platform != "linux":
        # Elsewhere the session may be made only after the terminal was opened, which then
        # does not become its controlling one. So the shell opens it once more.
        before += f": <{slave}; "
    if _files is not None:
        # Limits set from here, once it runs, would come after its first children.
        before += f"ulimit -S -n {_files}; "
    if before:
        return ["/bin/sh", "-c", f'{before}exec /bin/sh -c "$0"', command]
    return ["/bin/sh", "-c", command]


def _make(argv: list[str], environ: Mapping[str, str], plugs: list[Any]) -> int:
    try:
        return os.posix_spawn(
            argv[0],
            argv,
            environ,
            file_actions=plugs,
            setsid=True,
            setsigmask=(),
            setsigdef=RESET,
        )
    except ValueError as error:  # a NUL somewhere, or a variable's name with a `=`
        raise OSError(errno.EINVAL, str(error)) from error


@contextmanager
def _inside(cwd: Path) -> Iterator[None]:
    # `posix_spawn` takes no folder, so the whole daemon goes there and comes back.
    # That is safe: nothing is awaited meanwhile, and every path of ours, in
    # threads too, is absolute.
    here = os.open("/", os.O_RDONLY) if (home := _here()) is None else home
    try:
        try:
            os.chdir(cwd)
        except OSError as error:
            raise NoFolder(error.errno, error.strerror, str(cwd)) from None
        try:
            yield
        finally:
            os.fchdir(here)
    finally:
        os.close(here)


@contextmanager
def _permissive() -> Iterator[None]:
    # What our threads make meanwhile is made with its mode said.
    ours = None if _umask is None else os.umask(_umask)
    try:
        yield
    finally:
        if ours is not None:
            os.umask(ours)


def _here() -> int | None:
    try:
        return os.open(".", os.O_RDONLY)
    except OSError:  # no permission to read it
        return None


def _plugged(slave: str | None, output: int | None) -> list[Any]:
    if slave is not None:
        # Opened by the leader of a session, a terminal becomes its controlling one.
        return [
            (os.POSIX_SPAWN_OPEN, 0, slave, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
    # Input comes last: `output` itself may be 0 where ours was closed.
    return [
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        if output is None
        else (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    ]


def _watched(pid: int, run_id: str) -> Child:
    try:
        return Child(pid, run_id)
    except BaseException:  # nobody would know of it
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
