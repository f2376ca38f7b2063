"""Every file taskmux touches, as functions of `home`: `$TASKMUX_HOME`, or `~/.taskmux`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

CONFIG_NAME = "taskmux.toml"
ROOT = "root.pem"
AUTHORITY_LOCK = "ca.lock"


def home(environ: Mapping[str, str]) -> Path:
    """Return the folder of everything that is ours, made absolute."""
    chosen = environ.get("TASKMUX_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".taskmux"


def door(home: Path) -> Path:
    """Return the Unix socket the daemon listens on."""
    return home / "daemon.sock"


def pid(home: Path) -> Path:
    """Return the file that says which process the daemon is."""
    return home / "daemon.pid"


def host_config(home: Path) -> Path:
    """Return the file of host-wide settings; it need not exist."""
    return home / "config.toml"


def daemon_log(home: Path) -> Path:
    """Return the log of the daemon itself."""
    return home / "daemon.log"


def events(home: Path) -> Path:
    """Return the event history of every project, one JSON object a line."""
    return home / "events.jsonl"


def registry(home: Path) -> Path:
    """Return the file that maps every registered session to its taskmux.toml."""
    return home / "registry.json"


def token(home: Path) -> Path:
    """Return the file of the WebSocket token, new at each start of the daemon."""
    return home / "token"


def authority(home: Path) -> Path:
    """Return the folder of what signs the certificates of local names."""
    return home / "ca"


def root(home: Path) -> Path:
    """Return the certificate that clients are to trust."""
    return authority(home) / ROOT


def minted(home: Path) -> Path:
    """Return the folder of certificates that were asked for, each in a folder of its name."""
    return home / "certs"


def project(home: Path, session: str) -> Path:
    """Return the folder of what taskmux keeps about one project."""
    return home / "projects" / session


def aliases(home: Path, session: str) -> Path:
    """Return the file of a project's aliases."""
    return project(home, session) / "aliases.json"


def log(home: Path, session: str, task: str) -> Path:
    """Return where a task's output goes unless its `log_file` says otherwise."""
    return project(home, session) / "logs" / f"{task}.log"


def log_file(folder: Path, chosen: str) -> Path:
    """Return the file that a task's `log_file` means; `folder` holds the taskmux.toml."""
    return folder / Path(chosen).expanduser()


def plugin_state(home: Path, plugin: str) -> Path:
    """Return the folder that a plugin may keep something in."""
    return home / "plugins" / re.sub(r"[^A-Za-z0-9-]", "_", plugin)


def find_config(folder: Path) -> Path | None:
    """Return the taskmux.toml of `folder` or of the nearest folder above it."""
    for place in (folder, *folder.parents):
        with suppress(PermissionError):  # a folder that is closed to us
            if (place / CONFIG_NAME).is_file():
                return place / CONFIG_NAME
    return None


def ours(home: Path) -> Iterator[Path]:
    """Yield every file and folder in `home` that taskmux made, the host config left out."""
    known = (door, pid, daemon_log, events, registry, token)
    names = [function(home).name for function in known]
    names += ["daemon.lock", "starting.lock", "cli.log", "projects", "plugins", "handover"]
    names += [authority(home).name, AUTHORITY_LOCK, minted(home).name]
    name = "|".join(map(re.escape, names))
    # Rotated, set aside, and begun by somebody who was killed before it was in place.
    made = re.compile(rf"({name})(\.1|\.corrupt-.*)?|\.({name})-.{{8}}")
    for place in home.iterdir() if home.is_dir() else ():
        if made.fullmatch(place.name):
            yield place


def set_aside(home: Path) -> Iterator[Path]:
    """Yield the damaged files that others have taken the place of."""
    for folder in (home, *home.glob("projects/*")):
        yield from folder.glob("*.corrupt-*")
