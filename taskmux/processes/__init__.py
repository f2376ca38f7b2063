"""The operating system's processes: made, watched, counted and ended. No policy."""

from __future__ import annotations

from .listeners import Listeners
from .model import Holder
from .native import boot_id, command_of, holder, listening, peer_uid
from .ports import Ports, environ_of
from .scan import processes
from .shell import run_shell
from .spawn import Child, NoFolder, remember_limits, spawn
from .sweep import Trace, end, members
from .terminal import Terminal
from .usage import Usage, measure

__all__ = [
    "Child", "Holder", "Listeners", "NoFolder", "Ports", "Terminal", "Trace", "Usage", "boot_id",
    "command_of", "end", "environ_of", "holder", "listening", "measure", "members", "peer_uid",
    "processes", "remember_limits", "run_shell", "spawn",
]  # fmt: skip
