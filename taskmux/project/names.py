"""The names of tasks: which there may be, and what they become elsewhere."""

from __future__ import annotations

import re

from taskmux.toml.wrong import Wrong, shown

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def task_name(value: str) -> str:
    """Read a task's name: it goes into file names, command lines and environment names.

    Letters, digits and `_ - . :` (`build:watch`), a letter or digit first, at most 64.
    """
    if not _NAME.fullmatch(value):
        hint = "use letters, digits, _ - . and :, a letter or digit first, at most 64 in all"
        raise Wrong(f"{shown(value)} cannot name a task", hint)
    return value


def env_name(task: str) -> str:
    """Return a task's name as it stands in an environment variable: `build:css` as `BUILD_CSS`."""
    return re.sub(r"[^A-Z0-9]", "_", task.upper())
