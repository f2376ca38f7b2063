"""The texts of systemd units. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .mark import MARK

SERVICE = "taskmux.service"
SOCKETS = {"https": "taskmux.socket", "http": "taskmux-redirect.socket"}
"""Of each use a unit, as a unit has one name for all its descriptors."""

_AWKWARD = re.compile("[\"'\\\\$\\x00-\\x1f\\x7f]")
"""What systemd takes in no program's name, or makes something else of."""


@dataclass(frozen=True, slots=True)
class Service:
    """What runs, and as whom."""

    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    """None for a unit of the user's own."""


def service(what: Service, sockets: Sequence[str] = ()) -> str:
    """Return the unit of the daemon; `sockets` are the units that hand it its sockets.

    On stop the daemon alone is told: it ends its tasks in their order, and has the time it takes.
    A task that the kernel kills for want of memory is the daemon's business, not the unit's.
    """
    needs = [f"Requires={' '.join(sockets)}", f"After={' '.join(sockets)}"] if sockets else []
    variables = [f"Environment={quoted(f'{key}={value}')}" for key, value in what.environ.items()]
    user = [] if what.user is None else [f"User={what.user}"]
    lines = [
        f"# {MARK}",
        "[Unit]",
        "Description=taskmux, which runs the tasks of projects",
        *needs,
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={command_line(what.command)}",
        *user,
        *variables,
        "KillMode=mixed",
        "TimeoutStopSec=5min",
        "OOMPolicy=continue",
        "Restart=on-failure",
        "RestartPreventExitStatus=2 3",
        "",
        "[Install]",
        f"WantedBy={'default.target' if what.user is None else 'multi-user.target'}",
    ]
    return "\n".join([*lines, ""])


def socket(use: str, places: Sequence[str]) -> str:
    """Return the unit that listens at `places`, as `127.0.0.1:443`, and hands that on as `use`."""
    lines = [
        f"# {MARK}",
        "[Unit]",
        f"Description=taskmux, {use}",
        "",
        "[Socket]",
        *(f"ListenStream={place}" for place in places),
        "BindIPv6Only=ipv6-only",
        f"FileDescriptorName={use}",
        f"Service={SERVICE}",
        "",
        "[Install]",
        "WantedBy=sockets.target",
    ]
    return "\n".join([*lines, ""])


def command_line(command: Sequence[str]) -> str:
    """Return a command as ExecStart takes it."""
    if _AWKWARD.search(command[0]):
        # As an argument it may be called anything.
        command = ["/bin/sh", "-c", 'exec "$0" "$@"', *command]
    return " ".join(quoted(word).replace("$", "$$") for word in command)


def quoted(word: str) -> str:
    """Return a word that comes out of systemd as it went in; `$` is for ExecStart to double."""
    if re.fullmatch("[A-Za-z0-9_./:=@+-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + re.sub("[\\x00-\\x1f\\x7f]", _as_number, escaped) + '"'


def _as_number(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"
