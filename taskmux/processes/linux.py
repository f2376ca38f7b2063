"""Processes on Linux: /proc read directly, since a scan happens at every stop.

Measured with 1,000 processes: 15 ms here, 280 ms through psutil.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

from . import badge, diag
from .model import MARKER, Holder, Row
from .sockets import ESTABLISHED, LISTEN, Socket, parse_sockets, spellings

assert sys.platform == "linux"  # lets mypy leave this file out elsewhere

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
KERNEL_THREAD = 0x00200000  # PF_KTHREAD, among the flags of /proc/PID/stat

# hidepid answers EACCES. What is not here, such as EMFILE, is no answer and is raised:
# a process that could not be read must not count as gone.
_UNSEEN = (FileNotFoundError, ProcessLookupError, PermissionError)


def pids() -> list[int]:
    """Return the pid of every process there is, as far as it may be seen."""
    return [int(name) for name in _names("/proc") if name.isdigit()]


def newest_pid() -> int:
    """Return the pid that was given last; it may be a thread's."""
    return int(_read("/proc/loadavg").split()[4])


def look(pid: int) -> Row | None:
    """Return one process as it is now, or None if there is none."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            uid = os.fstat(fd).st_uid
            stat = os.read(fd, 2048)
        finally:
            os.close(fd)
    except _UNSEEN:
        return None
    row = _parse(stat, uid)
    return replace(row, image=_image(pid)) if _headless(stat, row) else row


def started(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot; None if there is none."""
    row = look(pid)
    return None if row is None else row.started


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return what names this boot of the machine: starts of another one mean nothing."""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip()


def marker_of(pid: int, *, badges: bool = True) -> str | None:
    """Return `TASKMUX_RUN_ID` as it was when the process executed its program, or its badge.

    Without either, and without any environment, it is "". That may also mean that it has
    ended, or that just now it is executing another program: its `image` is 0 then, or has
    changed.
    """
    try:
        environ = _environ(pid)
    except PermissionError:
        return _badge(pid) if badges else None
    _, found, rest = (b"\0" + environ).partition(b"\0" + MARKER.encode() + b"=")
    if found:
        return os.fsdecode(rest.partition(b"\0")[0])
    return (_badge(pid) if badges else None) or (None if environ else "")


def environ_of(pid: int) -> dict[str, str]:
    """Return the environment its program was executed with; empty if it may not be seen."""
    try:
        entries = os.fsdecode(_environ(pid)).split("\0")
    except PermissionError:
        return {}
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def command_of(pid: int) -> str:
    """Return the words of its command line, for people; empty if they may not be seen."""
    try:
        words = _read(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
    except _UNSEEN:
        return ""
    return words.decode(errors="replace")  # anybody's bytes, which must not stop who tells of them


def exit_fd(pid: int) -> int:
    """Return a descriptor that is readable from when the process exits.

    Raise `ProcessLookupError` if there is no such process.
    """
    return os.pidfd_open(pid)


def peek_status(pid: int) -> int:
    """Wait for our child's exit and return its status, negative for a signal; don't reap it."""
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert found is not None  # only WNOHANG returns None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def kill(row: Row) -> bool:
    """Send SIGKILL to the very process `row` tells of; return whether it was there.

    Raise `PermissionError` if it is not ours to end.
    """
    with suppress(ProcessLookupError):
        fd = os.pidfd_open(row.pid)  # from here on this pid cannot mean another process
        try:
            if started(row.pid) == row.started:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                return True
        finally:
            os.close(fd)
    return False


def ephemeral_ports() -> range:
    """Return the ports the system gives to outgoing connections."""
    low, high = _read("/proc/sys/net/ipv4/ip_local_port_range").split()
    return range(int(low), int(high) + 1)


def listening(pids: Collection[int]) -> list[int]:
    """Return the TCP ports these processes listen on, lowest first."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    return sorted({s.local[1] for s in _listeners() if s.inode in inodes})


def listeners() -> frozenset[int] | None:
    """Return what names every TCP listener of this machine; None if that takes long to tell."""
    return frozenset(socket.inode for socket in _listeners())


def holder(port: int) -> Holder | None:
    """Return who listens on a TCP port of this machine; None if nobody does."""
    found = next((s for s in _listeners() if s.local[1] == port), None)
    if found is None:
        return None
    for pid in pids():
        if found.inode in _socket_inodes(pid):
            return Holder(pid, found.uid, command_of(pid))
    return Holder(None, found.uid, "")


def peer_uid(local: tuple[str, int], peer: tuple[str, int]) -> int | None:
    """Return whose the far end of an established loopback connection is; None if unknown.

    `local` is our end of it. Ask as long as it is open: nobody owns an end that was closed.
    """
    ends = {(far, near) for far in spellings(*peer) for near in spellings(*local)}
    for socket in _sockets(ESTABLISHED):
        # An end without inode was closed by its owner, and its uid reads 0.
        if (socket.local, socket.remote) in ends and socket.inode:
            return socket.uid
    return None


@lru_cache(maxsize=8192)  # most processes sleep, and read the same as a moment ago
def _parse(stat: bytes, uid: int) -> Row:
    # The name, in parentheses, may hold spaces and parentheses itself.
    field = stat[stat.rindex(b")") + 2 :].split()
    return Row(
        pid=int(stat[: stat.index(b" ")]),
        parent=int(field[1]),
        group=int(field[2]),
        session=int(field[3]),
        started=int(field[19]),
        uid=uid,
        cpu=(int(field[11]) + int(field[12])) / TICKS,
        memory=int(field[21]) * PAGE,
        # With more threads only the first has ended, and the process lives.
        zombie=field[0] in b"ZX" and int(field[17]) <= 1,
        kernel=bool(int(field[6]) & KERNEL_THREAD),
        image=int(field[47]),  # where its environment lies; hidden ones read 0
    )


def _headless(stat: bytes, row: Row) -> bool:
    """Return whether the first thread has ended, and others go on: it shows nothing then."""
    return not row.zombie and stat[stat.rindex(b")") + 2] in b"ZX"


def _image(pid: int) -> int:
    for thread in _other_threads(pid):
        with suppress(*_UNSEEN):
            if image := _parse(_read(f"{thread}/stat"), 0).image:
                return image
    return 0


def _environ(pid: int) -> bytes:
    """Return b"" of one that has ended, or has none. Raise `PermissionError` if it is hidden."""
    with suppress(FileNotFoundError, ProcessLookupError):
        if environ := _read(f"/proc/{pid}/environ"):
            return environ
    for thread in _other_threads(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            if environ := _read(f"{thread}/environ"):
                return environ
    return b""


def _other_threads(pid: int) -> list[str]:
    with suppress(*_UNSEEN):
        names = _names(f"/proc/{pid}/task")
        return [f"/proc/{pid}/task/{name}" for name in names if name != str(pid)]
    return []


def _badge(pid: int) -> str | None:
    with suppress(*_UNSEEN):
        return badge.read(_read(f"/proc/{pid}/limits"))
    return None


def _names(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _link(path: str) -> str:
    # Asked of every descriptor of the system; a Path for each takes many times as long.
    return os.readlink(path)  # noqa: PTH115 (too slow, see above)


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        whole = b""
        while piece := os.read(fd, 65536):
            whole += piece
        return whole
    finally:
        os.close(fd)


def _socket_inodes(pid: int) -> Iterator[int]:
    folder = f"/proc/{pid}/fd"
    with suppress(*_UNSEEN):
        for name in _names(folder):
            with suppress(*_UNSEEN):
                kind, _, number = _link(f"{folder}/{name}").partition(":")
                if kind == "socket":
                    yield int(number[1:-1])


def _listeners() -> list[Socket]:
    try:
        return diag.listeners()
    except OSError:  # a sandbox, or a kernel without it
        return list(_sockets(LISTEN))


def _sockets(state: int) -> Iterator[Socket]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(FileNotFoundError):  # no IPv6
            yield from parse_sockets(_read(table), state)
