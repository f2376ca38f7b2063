"""Commands about the host config: what holds for every project."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from taskmux import paths
from taskmux.errors import TaskmuxError

from .answers import Answer
from .reports import PathReport, SettingChange, SettingsReport
from .session import Session

if TYPE_CHECKING:
    from . import options
else:
    from .lazy import Lazy

    options = Lazy("options")


def config_show(session: Session, reveal: options.Reveal = False) -> Answer:
    """Show every host-wide setting, as resolved; secrets are masked."""
    from taskmux.settings import load, view

    path = paths.host_config(session.home)
    shown = view(load(path), str(path), reveal=reveal)
    return SettingsReport(
        path=str(path),
        settings={setting.key: setting.value for setting in shown},
        defaults=[setting.key for setting in shown if setting.source == "default"],
    )


def config_set(session: Session, key: options.Key, value: options.Value) -> Answer:
    """Write one host-wide setting; a daemon takes it up when it is restarted."""
    return put(session, key, value)


def put(session: Session, key: str, value: str) -> SettingChange:
    """Write one setting, and tell of a daemon that has yet to take it up."""
    from taskmux.lock import alone
    from taskmux.settings import change, load, view, write

    path = paths.host_config(session.home)
    with alone(session.home / "config.lock"):
        load(path)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        write(path, change(before, key, value))
        shown = {setting.key: setting.value for setting in view(load(path), str(path))}
    with suppress(TaskmuxError):
        pid = session.visit().hello().pid
        session.notice(f"the daemon (pid {pid}) takes it up with `taskmux daemon restart`")
    return SettingChange(path=str(path), key=key, value=shown.get(key))


def config_path(session: Session) -> Answer:
    """Show where the host config is, or would be."""
    path = paths.host_config(session.home)
    return PathReport(path=str(path), exists=path.exists())
