"""Processes on macOS: psutil, and kqueue for exits.

All but the functions around kqueue and `waitid` run on any system, and the
tests run them on Linux too, against what /proc says.
"""

from __future__ import annotations

import ctypes
import os
import select
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import lru_cache

import psutil

from .model import MARKER, Holder, Row

_UNSEEN = (psutil.Error, OSError)


def pids() -> list[int]:
    """Return the pid of every process there is, as far as it may be seen."""
    return psutil.pids()


def newest_pid() -> int:
    """Return the pid that was given last, as far as can be told."""
    return max(psutil.pids())


def look(pid: int) -> Row | None:
    """Return one process as it is now, or None if there is none."""
    with suppress(*_UNSEEN):
        process = psutil.Process(pid)
        with process.oneshot():
            zombie = process.status() == psutil.STATUS_ZOMBIE
            cpu, memory = (0.0, 0) if zombie else _usage(process)
            return Row(
                pid=pid,
                parent=process.ppid(),
                group=os.getpgid(pid),
                session=os.getsid(pid),
                started=round(process.create_time() * 1_000_000),
                uid=process.uids().effective,
                cpu=cpu,
                memory=memory,
                zombie=zombie,
                kernel=pid == 0,
            )
    return None


def started(pid: int) -> int | None:
    """Return when the process started, in microseconds; None if there is none."""
    try:
        return round(psutil.Process(pid).create_time() * 1_000_000)
    except _UNSEEN:
        return None


@lru_cache(maxsize=1)  # it is part of every state file, and asking takes a process
def boot_id() -> str:
    """Return what names this boot of the machine: starts of another one mean nothing."""
    asked = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def marker_of(pid: int, *, badges: bool = True) -> str | None:
    """Return `TASKMUX_RUN_ID` as it was when the process executed its program.

    It is "" of a process that has ended.
    """
    try:
        return psutil.Process(pid).environ().get(MARKER)
    except psutil.NoSuchProcess:
        return ""
    except _UNSEEN:
        return None


def environ_of(pid: int) -> dict[str, str]:
    """Return the environment its program was executed with; empty if it may not be seen."""
    try:
        return psutil.Process(pid).environ()
    except _UNSEEN:
        return {}


def command_of(pid: int) -> str:
    """Return the words of its command line, for people; empty if they may not be seen."""
    try:
        words = " ".join(psutil.Process(pid).cmdline())
    except _UNSEEN:
        return ""
    return os.fsencode(words).decode(errors="replace")


def exit_fd(pid: int) -> int:
    """Return a descriptor that is readable from when the process exits.

    Raise `ProcessLookupError` if there is no such process.
    """
    if sys.platform == "linux":  # where tests use this module, as far as it goes there
        raise AssertionError("there is no kqueue: linux.py answers this")
    queue = select.kqueue()
    exits = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
    try:
        queue.control([exits], 0)
        return os.dup(queue.fileno())
    except ProcessLookupError:
        os.kill(pid, 0)  # raises, unless it is a zombie, to which kqueue is blind
        reader, writer = os.pipe()
        os.close(writer)
        return reader
    finally:
        queue.close()


def peek_status(pid: int) -> int:
    """Wait for our child's exit and return its status, negative for a signal; don't reap it."""
    assert sys.platform != "linux"  # its siginfo_t is another
    # Python has `os.waitid` on macOS from 3.13 on. P_PID is 1, WEXITED 4, WNOWAIT 32.
    libc = ctypes.CDLL(None, use_errno=True)
    found = (ctypes.c_int * 32)()  # siginfo_t: signo, errno, code, pid, uid, status, …
    while libc.waitid(1, pid, found, 4 | 32) != 0:
        if ctypes.get_errno() != 4:  # EINTR
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    code, status = found[2], found[5]
    return status if code == os.CLD_EXITED else -status


def kill(row: Row) -> bool:
    """Send SIGKILL to the very process `row` tells of; return whether it was there.

    Raise `PermissionError` if it is not ours to end.
    """
    if started(row.pid) != row.started:
        return False
    try:
        os.kill(row.pid, 9)
    except ProcessLookupError:
        return False
    return True


def ephemeral_ports() -> range:
    """Return the ports the system gives to outgoing connections."""
    return range(49152, 65536)


def listening(pids: Collection[int]) -> list[int]:
    """Return the TCP ports these processes listen on, lowest first."""
    found = (socket for pid in pids for socket in _sockets(pid, psutil.CONN_LISTEN))
    return sorted({port for (_, port), _ in found})


def listeners() -> frozenset[int] | None:
    """Return what names every TCP listener of this machine; None if that takes long to tell."""
    return None


def holder(port: int) -> Holder | None:
    """Return who listens on a TCP port of this machine; None if nobody of ours does."""
    for pid in psutil.pids():
        if any(local[1] == port for local, _ in _sockets(pid, psutil.CONN_LISTEN)):
            row = look(pid)
            return None if row is None else Holder(pid, row.uid, command_of(pid))
    return None


def peer_uid(local: tuple[str, int], peer: tuple[str, int]) -> int | None:
    """Return whose the far end of an established loopback connection is; None if unknown.

    `local` is our end of it. Only processes of ours can be seen to own one.
    """
    ends = (_plain(*peer), _plain(*local))
    for pid in psutil.pids():
        if ends in _sockets(pid, psutil.CONN_ESTABLISHED):
            row = look(pid)
            return None if row is None else row.uid
    return None


def _usage(process: psutil.Process) -> tuple[float, int]:
    try:
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except psutil.AccessDenied:  # somebody else's
        return 0.0, 0


def _sockets(pid: int, state: str) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    with suppress(*_UNSEEN):
        for socket in psutil.Process(pid).net_connections("tcp"):
            if socket.status == state:
                yield _plain(*socket.laddr), _plain(*(socket.raddr or ("", 0)))


def _plain(host: str, port: int) -> tuple[str, int]:
    return host.removeprefix("::ffff:"), port
