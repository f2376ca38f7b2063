"""What the operating system tells about a process, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

MARKER = "TASKMUX_RUN_ID"
"""The environment variable that all processes of one run share, and no others."""


@dataclass(frozen=True, slots=True)
class Row:
    """One process at one moment. `pid` and `started` together name it for good."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    """Opaque; compares with other starts since the same boot."""

    uid: int
    cpu: float
    """Seconds used, in user and system mode, without its children."""

    memory: int
    """Resident, shared pages included."""

    zombie: bool
    kernel: bool = False
    """Whether it is a thread of the kernel's, which runs no program."""

    image: int = 0
    """Changes when the process executes another program; 0 if that cannot be seen."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port. `pid` is None, `command` empty, where that may not be seen."""

    pid: int | None
    uid: int
    command: str
