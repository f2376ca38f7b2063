"""What the daemon remembers from one life to the next: which projects there are, and of each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec

from taskmux import paths
from taskmux.encoding import encode
from taskmux.errors import NothingLeft
from taskmux.files import (
    Damage,
    make_way,
    read_private,
    remove_unfinished,
    set_aside,
    write_private,
)
from taskmux.scarcity import described, scarce


class Child(msgspec.Struct, frozen=True):
    """A process that was running, known again by all of these together."""

    pid: int
    started: int
    boot: str
    run_id: str


class Memory(msgspec.Struct, frozen=True):
    """One task, as it was last seen."""

    state: str = "stopped"
    reason: str = "not started yet"
    wanted: bool = False
    run: int = 0
    port: int | None = None
    status: int | None = None
    environ: str | None = None
    """Key of the environment it was started with, in `ProjectMemory.environs`."""

    child: Child | None = None


class ProjectMemory(msgspec.Struct, frozen=True):
    """A project's tasks by name, and the environments they were started with."""

    tasks: dict[str, Memory] = {}
    environs: dict[str, dict[str, str]] = {}


LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


class Alias(msgspec.Struct, frozen=True):
    """A port of this machine that is no task's, and the host by which it is reached."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    host: Annotated[str, msgspec.Meta(pattern=rf"^(@|\*|{LABEL})\Z")]


Aliases = dict[Annotated[str, msgspec.Meta(pattern=rf"^{LABEL}\Z")], Alias]
"""By name."""


class Store:
    """The state files of one home. Nothing here is kept open.

    What reads raises `NothingLeft` where the system has nothing to read with.
    """

    def __init__(self, home: Path, damaged: Damage) -> None:
        self._home = home
        self._damaged = damaged

    def registry(self) -> dict[str, str]:
        """Return the path of every registered taskmux.toml, by session."""
        path = paths.registry(self._home)
        with _in_words():
            remove_unfinished(path)
            return read_private(path, dict[str, str], self._damaged) or {}

    def save_registry(self, entries: Mapping[str, str]) -> None:
        """Replace the registry."""
        content = msgspec.json.format(encode(entries))
        write_private(paths.registry(self._home), content + b"\n")

    def project(self, session: str) -> ProjectMemory:
        """Return what is remembered of a project; nothing, if it is new.

        What is in the way of its folders is set aside.
        """
        folder = paths.project(self._home, session)
        for place in (folder.parent, folder, folder / "logs"):
            make_way(place, self._damaged, folder=True)
        path = self._path(session)
        with _in_words():
            remove_unfinished(path)
            return read_private(path, ProjectMemory, self._damaged) or ProjectMemory()

    def save_project(self, session: str, memory: ProjectMemory) -> None:
        """Replace what is remembered of a project."""
        write_private(self._path(session), encode(msgspec.structs.asdict(memory)))

    def aliases(self, session: str) -> Aliases:
        """Return the aliases of a project."""
        path = paths.aliases(self._home, session)
        with _in_words():
            remove_unfinished(path)
            return read_private(path, Aliases, self._damaged) or {}

    def save_aliases(self, session: str, aliases: Mapping[str, Alias]) -> None:
        """Replace them. Raises `OSError`."""
        content = msgspec.json.format(msgspec.json.encode(dict(aliases)))
        write_private(paths.aliases(self._home, session), content + b"\n")

    def rename_project(self, before: str, session: str) -> None:
        """Keep by another name what is kept of a project, logs and all. Raises `OSError`."""
        old, new = (paths.project(self._home, name) for name in (before, session))
        if os.path.lexists(new):
            self.set_aside(new, f"the project that was called {before} has its name now")
        if old.exists():
            old.rename(new)

    def forget_project(self, session: str) -> None:
        """Remember nothing of a project any more; its logs stay."""
        self._path(session).unlink(missing_ok=True)

    def set_aside(self, path: Path, why: str) -> None:
        """Move a file of the home that cannot be used out of the way, and tell of it."""
        self._damaged(set_aside(path), why)

    def _path(self, session: str) -> Path:
        return paths.project(self._home, session) / "state.json"


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not scarce(error):
            raise
        raise NothingLeft(described(error)) from None


def environ_key(environ: Mapping[str, str]) -> str:
    """Return a short name for an environment: the same for the same content."""
    return hashlib.sha256(msgspec.json.encode(dict(sorted(environ.items())))).hexdigest()[:16]
