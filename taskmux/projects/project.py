"""One registered project, with or without a configuration that can be used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from taskmux.errors import InvalidToml, NoConfig, TaskmuxError
from taskmux.project import ProjectConfig, parse
from taskmux.supervisor import Services, Supervisor


class Project:
    """A taskmux.toml and what runs because of it.

    `supervisor` is None until the file could be read once; after that it stays,
    with the last good configuration, whatever becomes of the file.
    """

    def __init__(self, session: str, path: Path, services: Services) -> None:
        self.session = session
        self.path = path
        self.supervisor: Supervisor | None = None
        self.error: TaskmuxError | None = None
        """What is wrong with the file now; None if nothing is."""

        self.lock = anyio.Lock()
        """Held while the file is read and applied, or edited."""

        self._services = services
        self._config = ProjectConfig()
        self._closing = anyio.Event()
        self._resume = False

    @property
    def state(self) -> str:
        """`ok`, `config_missing` or `error`."""
        if self.error is None:
            return "ok"
        return "config_missing" if isinstance(self.error, NoConfig) else "error"

    def opened(self) -> Supervisor:
        """Return the supervisor, or raise what keeps the project from having one."""
        if self.supervisor is None:
            raise self.error or NoConfig(str(self.path.parent))
        return self.supervisor

    async def host(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep the project's tasks until `close`; without a usable file, wait for one."""
        try:
            self._config = read_config(self.path)
        except TaskmuxError as error:
            self.error = error
            task_status.started()
            await self._closing.wait()
            return
        opening = Supervisor.open(self.session, self.path.parent, self._config, self._services)
        async with opening as self.supervisor:
            task_status.started()
            await self._closing.wait()
            await self.supervisor.shut_down(resume=self._resume)
        self.supervisor = None

    def close(self, *, resume: bool = False) -> None:
        """Have `host` stop every task and return; with `resume`, the next daemon starts them."""
        self._resume = resume
        self._closing.set()

    async def reload(self) -> list[str] | None:
        """Read the file again and apply what changed; return the tasks to restart for it.

        None says that nothing changed. A file that is gone, or wrong, changes
        nothing that runs: `error` says so, and an event.
        """
        async with self.lock:
            try:
                config = read_config(self.path)
                outdated = await self._apply(config)
            except TaskmuxError as error:
                self._note_error(error)
                raise
            self.error = None
            return outdated

    async def edit(self, change: Callable[[str], str]) -> None:
        """Rewrite the file with `change(text)`, if the outcome can be read, and apply it."""
        async with self.lock:
            before = read_text(self.path)
            after = change(before)
            config = parse(after, str(self.path))
            replace_text(self.path, after)
            await self._apply(config)
            self.error = None

    async def _apply(self, config: ProjectConfig) -> list[str] | None:
        if config == self._config or self.supervisor is None:
            return None
        before, outdated = self._config.tasks, await self.supervisor.apply(config)
        self._config = config
        facts = {
            "added": sorted(set(config.tasks) - set(before)),
            "removed": sorted(set(before) - set(config.tasks)),
            "restart_needed": outdated,
        }
        self._services.bus.publish("config_reloaded", self.session, **facts)
        return outdated

    def _note_error(self, error: TaskmuxError) -> None:
        if str(error) != str(self.error or ""):
            self._services.bus.publish(
                "config_error", self.session, reason=str(error), error_code=error.code
            )
        self.error = error


def read_config(path: Path) -> ProjectConfig:
    """Return what a taskmux.toml says; raise the error that says what is wrong with it."""
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return a taskmux.toml's text, line endings as they are."""
    try:
        return path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        raise NoConfig(str(path.parent)) from None
    except UnicodeDecodeError as error:
        raise InvalidToml(str(path), f"byte {error.start} is not UTF-8", None, None) from None
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
        raise InvalidToml(str(path), why, None, None) from None


def replace_text(path: Path, text: str) -> None:
    """Replace a file at once, with its mode; through a symlink, the file it leads to."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}.taskmux-new")
    try:
        beside.write_bytes(text.encode())
        shutil.copymode(path, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
