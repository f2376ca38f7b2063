"""The operating system's processes: made, watched, counted and ended. No policy."""

from __future__ import annotations

from .listeners import Listeners
from .marker import new_marker, of_home
from .model import Holder
from .native import boot_id, command_of, environ_of, holder, listening, peer_uid
from .ports import Ports
from .scan import processes
from .shell import end_shell, run_shell, shells_under_way
from .spawn import (
    Child,
    NoFolder,
    remember_limits,
    remember_umask,
    runs_at_work,
    shell_files,
    spawn,
)
from .stranger import stranger
from .strays import Stray, end_strays, strays
from .sweep import Trace, end, end_marked, members
from .terminal import Terminal
from .usage import Usage, measure

__all__ = [
    "Child", "Holder", "Listeners", "NoFolder", "Ports", "Stray", "Terminal", "Trace", "Usage",
    "boot_id", "command_of", "end", "end_marked", "end_shell", "end_strays", "environ_of",
    "holder", "listening", "measure", "members", "new_marker", "of_home", "peer_uid", "processes",
    "remember_limits", "remember_umask", "run_shell", "runs_at_work", "shell_files",
    "shells_under_way", "spawn", "stranger", "strays",
]  # fmt: skip
