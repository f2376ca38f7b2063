"""Where the hosts file is: the system's, or the one the user's settings name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "hosts_file"

_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class Place:
    """A hosts file. `newline` ends the lines of one that has none yet."""

    path: str
    newline: bytes = b"\n"


class BadSetting(ValueError):
    """A `hosts_file` that cannot be meant."""

    def __init__(self, value: object, why: str) -> None:
        super().__init__(f"{KEY} = {value!r} {why}")
        self.add_note(f'write it like {KEY} = "/home/me/hosts", or leave it out for the system\'s')


def system_hosts(platform: str, environ: Mapping[str, str]) -> Place:
    """Return the file that names are looked up in on a `sys.platform`."""
    if platform != "win32":
        return Place("/etc/hosts")
    root = {key.upper(): value for key, value in environ.items()}.get("SYSTEMROOT")
    return Place((root or r"C:\Windows") + r"\System32\drivers\etc\hosts", b"\r\n")


def chosen(settings: Mapping[str, Any], system: Place) -> Place:
    """Return the file to use: the one that `settings` name, else `system`; raise `BadSetting`."""
    value = settings.get(KEY)
    if value is None:
        return system
    if not isinstance(value, str):
        raise BadSetting(value, "is not a path")
    if not _ABSOLUTE.match(value) or "\0" in value:
        raise BadSetting(value, "is not an absolute path")
    return system if value == system.path else Place(value, system.newline)
