"""What processes cost: seconds of processor time, in user and system mode together."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil


def of_command(argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> float:
    """Run a command to its end and return what it cost, what it started included."""
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environ, cwd=cwd)
    try:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    except BaseException:
        child.kill()
        child.wait()
        raise
    assert child.returncode == 0, f"{argv} exited with {child.returncode}"
    return usage.ru_utime + usage.ru_stime


def of_process(process: psutil.Process) -> float:
    """Return what a process cost so far, without its children."""
    times = process.cpu_times()
    return times.user + times.system


def of_its_children(process: psutil.Process) -> float:
    """Return what the children cost that it has waited for; macOS does not tell, and says 0."""
    times = process.cpu_times()
    return times.children_user + times.children_system


def of_our_children() -> float:
    """Return what the children cost that we have waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
