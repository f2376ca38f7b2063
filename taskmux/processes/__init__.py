"""The operating system's processes: made, watched, counted and ended. No policy."""

from __future__ import annotations

from .native import boot_id, command_of, holder, listening, peer_uid
from .ports import Ports
from .scan import processes
from .shell import run_shell
from .spawn import Child, NoFolder, remember_limits, spawn
from .sweep import Trace, end, members
from .terminal import Terminal
from .usage import Usage, measure

__all__ = [
    "Child", "NoFolder", "Ports", "Terminal", "Trace", "Usage", "boot_id", "command_of", "end",
    "holder", "listening", "measure", "members", "peer_uid", "processes", "remember_limits",
    "run_shell", "spawn",
]  # fmt: skip
