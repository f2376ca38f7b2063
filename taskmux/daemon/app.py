"""The daemon's command line: where it lives, who waits for it, what it says where."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import anyio

from taskmux import paths, settings
from taskmux.errors import DaemonDidNotStart, TaskmuxError, ungrouped
from taskmux.files import Damage, make_way
from taskmux.scarcity import unusable

from .carried import fetch
from .handover import Handed, decode_failure
from .instance import Waiter, detach, only_one
from .listeners import heard
from .notify import tell_ready
from .rehearsal import rehearse
from .serve import Setting, serve

LOG_LIMIT = 10_000_000
"""Bytes of daemon.log that are kept when a daemon starts; older ones go to daemon.log.1."""


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the daemon until it is told to end; return its exit status.

    With `--ready-fd N` it detaches, and writes one line to that descriptor: `ready`,
    or the error that keeps it from starting; until then it holds the lock that is open
    as `--lock-fd N`. Without, it stays in the foreground until Ctrl-C.

    `--listener USE=N` is a socket that was bound for it, `--unprepared` what failed while
    there was root.

    With `--carried-fd N` it goes on with what the program before it in the same process
    put away there; with `--try` it only says whether it could with what is on stdin.
    """
    options = _options(argv)
    home = paths.home(environ)
    if options.try_:
        return _rehearse(home)
    waiter = Waiter(options.ready_fd, options.lock_fd)
    try:
        if options.ready_fd is not None:
            detach()
        return _run(home, options, waiter, environ)
    except (TaskmuxError, OSError) as cause:
        error = _unusable(cause, home) if isinstance(cause, OSError) else cause
        waiter.failed(error)
        logging.getLogger("taskmux").error("%s", error)
        if options.ready_fd is None:
            raise error from None
        return error.exit_status


def _rehearse(home: Path) -> int:
    try:
        rehearse(sys.stdin.buffer.read(), home)
    except (TaskmuxError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(
    home: Path, options: argparse.Namespace, waiter: Waiter, environ: Mapping[str, str]
) -> int:
    umask = os.umask(0o077)
    carried = None if options.carried_fd is None else fetch(options.carried_fd)
    follows = carried is not None
    detached = options.ready_fd is not None or (follows and not options.foreground)
    held = None if carried is None else carried.lock
    damages: list[tuple[Path, str]] = []

    def damaged(path: Path, why: str) -> None:
        damages.append((path, why))

    with only_one(home, waits=waiter.waits, held=held, damaged=damaged) as lock:
        if detached and not follows and not waiter.waits():
            # It gave up while another daemon was ending; nobody asks for one now.
            return 0
        if detached:
            _take_log(paths.daemon_log(home), damaged)
        _log_to_stderr()
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_IGN)
        host = settings.load(paths.host_config(home))
        port = carried.port if carried is not None else options.port
        umask = umask if carried is None else carried.umask
        handed = Handed(heard(options.listener), decode_failure(options.unprepared))
        setting = Setting(home, host, lock, port, umask, detached, carried, damages, handed)
        ready = waiter.ready if detached else partial(tell_ready, environ)
        try:
            anyio.run(serve, setting, ready, backend_options={"use_uvloop": True})
        except ExceptionGroup as group:
            error = ungrouped(group)
            if isinstance(error, TaskmuxError):
                raise error from None
            raise
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m taskmux.daemon")
    parser.add_argument("--ready-fd", type=int, default=None)
    parser.add_argument("--lock-fd", type=int, default=None)
    parser.add_argument("--port", type=int, default=None)
    parser.add_argument("--carried-fd", type=int, default=None)
    parser.add_argument("--listener", action="append", default=[])
    parser.add_argument("--unprepared", default="")
    parser.add_argument("--foreground", action="store_true")
    parser.add_argument("--try", dest="try_", action="store_true")
    return parser.parse_args(argv)


def _unusable(error: OSError, home: Path) -> DaemonDidNotStart:
    return DaemonDidNotStart(unusable(home, error), (), str(paths.daemon_log(home)))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s")
    formatter.datefmt, formatter.converter = "%Y-%m-%dT%H:%M:%S", time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger("taskmux").handlers = [handler]
    logging.getLogger("taskmux").setLevel(logging.INFO)


def _take_log(log: Path, damaged: Damage) -> None:
    make_way(log, damaged)
    older = log.with_name(f"{log.name}.1")
    if log.exists() and log.stat().st_size >= LOG_LIMIT:
        make_way(older, damaged)
        log.replace(older)
    # Whoever started us may have found no file to write to, or one that is renamed by now.
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
