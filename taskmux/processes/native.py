"""The operating system, in the words all others use: `linux` or `macos`, chosen once.

Identity is (pid, started): a pid alone may be another's by the time it is used.
Whatever is asked about a process that is gone, or not ours to see, answers
None, an empty value, or leaves it out.
"""

from __future__ import annotations

import sys

from .model import MARKER, Holder, Row

if sys.platform == "linux":
    from .linux import (
        boot_id,
        command_of,
        environ_of,
        ephemeral_ports,
        exit_fd,
        holder,
        kill,
        listeners,
        listening,
        look,
        marker_of,
        newest_pid,
        peek_status,
        peer_uid,
        pids,
        started,
    )
else:
    from .macos import (
        boot_id,
        command_of,
        environ_of,
        ephemeral_ports,
        exit_fd,
        holder,
        kill,
        listeners,
        listening,
        look,
        marker_of,
        newest_pid,
        peek_status,
        peer_uid,
        pids,
        started,
    )

__all__ = [
    "MARKER", "Holder", "Row", "boot_id", "command_of", "environ_of", "ephemeral_ports",
    "exit_fd", "holder", "kill", "listeners", "listening", "look", "marker_of", "newest_pid",
    "peek_status", "peer_uid", "pids", "started",
]  # fmt: skip
