"""What every command is handed: which project is meant, and how to reach the daemon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import msgspec

from taskmux import paths
from taskmux.client import Client
from taskmux.client.line import answers
from taskmux.errors import NoConfig, UnknownSession
from taskmux.files import read_regular

from .superuser import check_start


class Where(TypedDict):
    """The fields of a request that say which project it is about: one of them is None."""

    session: str | None
    config: str | None


class Which(Where):
    """The fields of a request that say which tasks it is about; without any, all."""

    task: str | None
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation. Commands read nothing of the world but this."""

    environ: Mapping[str, str]
    cwd: Path
    notice: Callable[[str], None]
    """Tell a person something that is not the answer."""

    project: str | None = None
    """The id given by `--project`; None means the project of `cwd`."""

    programs: bool = False
    """Whether the answer is for a program: `--json`."""

    @property
    def home(self) -> Path:
        """The folder of everything that is ours."""
        return paths.home(self.environ)

    def connect(self) -> Client:
        """Return a client that starts the daemon if there is none."""
        return Client(paths.door(self.home), self.wake)

    def visit(self, patience: float | None = None) -> Client:
        """Return a client that finds nobody if there is no daemon; it waits that long, or ever."""
        return Client(paths.door(self.home), patience=patience)

    def wake(self) -> None:
        """Start the daemon if there is none, and say so."""
        self.launch()

    def launch(self, *options: str, keep: Sequence[int] = ()) -> bool:
        """Start the daemon if there is none, and say so; return whether there was none.

        Raises `NotAllowed` for root. A daemon inherits the descriptors in `keep`.
        """
        from taskmux.client.launch import launch

        if not answers(paths.door(self.home)):
            check_start(os.geteuid(), self.environ)
        started = launch(self.home, self.environ, *options, keep=keep)
        if started:
            self.notice(f"started the taskmux daemon (pid {self.visit().hello().pid})")
        return started

    def where(self) -> Where:
        """Return what names the project in a request; raise `NoConfig` if there is none."""
        config = None if self.project is not None else str(self.config())
        return {"session": self.project, "config": config}

    def which(self, tasks: Iterable[str] | None) -> Which:
        """Return what names some of the project's tasks in a request."""
        names = tuple(dict.fromkeys(tasks or ()))
        task, tasks = (names[0], ()) if len(names) == 1 else (None, names)
        return {**self.where(), "task": task, "tasks": tasks}

    def config(self) -> Path:
        """Return the project's taskmux.toml. Raises `NoConfig` or `UnknownSession`."""
        if self.project is None:
            return paths.find_config(self.cwd) or self._none_here()
        registry = self.registry()
        if self.project not in registry:
            raise UnknownSession(self.project, registry)
        return Path(registry[self.project])

    def registered(self) -> str | None:
        """Return the id the project is registered under, or was; None if it isn't."""
        if self.project is not None:
            known = {*self.registry(), *(left.name for left in self.home.glob("projects/*"))}
            if self.project not in known:
                raise UnknownSession(self.project, known)
            return self.project
        config = self.config().resolve()
        found = (name for name, path in self.registry().items() if Path(path).resolve() == config)
        return next(found, None)

    def registry(self) -> dict[str, str]:
        """Return the path of every registered taskmux.toml, by id; needs no daemon."""
        try:
            content = read_regular(paths.registry(self.home))
            return msgspec.json.decode(content or b"", type=dict[str, str])
        except (OSError, ValueError, msgspec.MsgspecError):
            return {}  # the daemon sets a damaged one aside, and says so

    def shell(self) -> dict[str, str]:
        """Return the environment for tasks; bytes that are not UTF-8 cannot be sent as JSON."""
        decoded = {
            key: os.fsencode(value).decode(errors="replace") for key, value in self.environ.items()
        }
        return {key: value for key, value in decoded.items() if key.isprintable()}

    def _none_here(self) -> Path:
        folders = {self.cwd, *self.cwd.parents}
        found = (name for name, path in self.registry().items() if Path(path).parent in folders)
        raise NoConfig(str(self.cwd), next(found, None))
