"""What installing the daemon comes to: files, and commands before and after. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import launchd, systemd


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the service manager; one that `may_fail` has most often nothing to do."""

    words: Sequence[str]
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to be done, and to be undone."""

    manager: str
    """`systemd` or `launchd`."""

    files: Mapping[str, str]
    mode: int
    install: Sequence[Command]
    """Run after the files were written."""

    leave: Sequence[Command]
    """Run before they are deleted."""

    forget: Sequence[Command]
    """Run after that."""


def of_user(folder: str, what: systemd.Service, *, now: bool) -> Plan:
    """Return the plan of a systemd unit of the user's own, in `folder`; `now` starts it, too."""
    files = {f"{folder}/{systemd.SERVICE}": systemd.service(what)}
    return _systemd(["systemctl", "--user"], files, 0o600, [systemd.SERVICE], now=now)


def of_system(
    folder: str, what: systemd.Service, places: Mapping[str, Sequence[str]], *, now: bool
) -> Plan:
    """Return the plan of units of the system; `places` are where each use listens."""
    sockets = {systemd.SOCKETS[use]: systemd.socket(use, at) for use, at in places.items() if at}
    texts = {**sockets, systemd.SERVICE: systemd.service(what, list(sockets))}
    files = {f"{folder}/{name}": text for name, text in texts.items()}
    return _systemd(["systemctl"], files, 0o644, list(texts), now=now)


def of_macos(
    home: str, uid: int, command: Sequence[str], environ: Mapping[str, str], *, now: bool
) -> Plan:
    """Return the plan of a launchd agent of the user whose home folder that is; `now` starts it.

    launchd would start one that finds another daemon running again and again.
    """
    file = f"{home}/Library/LaunchAgents/{launchd.LABEL}.plist"
    text = launchd.agent(command, environ, f"{home}/Library/Logs/taskmux.log")
    out = Command(["launchctl", "bootout", f"gui/{uid}/{launchd.LABEL}"], may_fail=True)
    into = Command(["launchctl", "bootstrap", f"gui/{uid}", file])
    return Plan("launchd", {file: text}, 0o600, [out, into] if now else [], [out], [])


def _systemd(
    ctl: Sequence[str], files: Mapping[str, str], mode: int, units: Sequence[str], *, now: bool
) -> Plan:
    reload = [*ctl, "daemon-reload"]
    enable = [*ctl, "enable", *(["--now"] if now else []), *units]
    return Plan(
        manager="systemd",
        files=files,
        mode=mode,
        install=[Command(reload), Command(enable)],
        leave=[Command([*ctl, "disable", "--now", *units], may_fail=True)],
        forget=[Command(reload, may_fail=True)],
    )
