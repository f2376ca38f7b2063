"""The text of a launchd agent. Pure."""

from __future__ import annotations

import plistlib
from collections.abc import Mapping, Sequence

from .mark import MARK

LABEL = "taskmux.daemon"


def agent(command: Sequence[str], environ: Mapping[str, str], log: str) -> str:
    """Return the property list of the daemon.

    It is started again if it crashes, and has five minutes to end its tasks.
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
    head, plist, rest = plistlib.dumps(document).decode().partition("<plist")
    return f"{head}<!-- {MARK} -->\n{plist}{rest}"
