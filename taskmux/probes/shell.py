"""Whether a task's shell has begun to run anything."""

from __future__ import annotations

from pathlib import Path

import psutil


def idle_shell(pid: int) -> bool:
    """Return whether the process is a bare shell, neither replaced nor with a child, or gone."""
    try:
        process = psutil.Process(pid)
        if Path(process.exe()) != Path("/bin/sh").resolve():
            return False
        return not _has_children(process)
    except psutil.NoSuchProcess:  # it never will run anything
        return True
    except psutil.Error:  # not ours to look at, and so no shell of ours
        return False


def _has_children(process: psutil.Process) -> bool:
    # Linux keeps a list; without it every process of the system has to be looked at.
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        return bool(listed.read_text())
    except OSError:
        return bool(process.children())
