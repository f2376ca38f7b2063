"""The text of a launchd agent. Pure."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence

from taskmux.errors import NotInstalled

from .mark import MARK

LABEL = "taskmux.daemon"


def agent(command: Sequence[str], environ: Mapping[str, str], log: str) -> str:
    """Return the property list of the daemon.

    It is started again if it crashes, and has five minutes to end its tasks.
    Raises `NotInstalled` for a path that no property list can hold.
    """
    document = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": dict(environ),
        "WorkingDirectory": "/",
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ExitTimeOut": 300,
        "StandardErrorPath": log,
    }
    try:
        head, plist, rest = plistlib.dumps(document).decode().partition("<plist")
    except ValueError:
        raise NotInstalled("a path in it has a control character, or is not UTF-8") from None
    return f"{head}<!-- {MARK} -->\n{plist}{rest}"
