"""One registered project, with or without a configuration that can be used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from taskmux import paths
from taskmux.errors import EmptyConfig, NoConfig, NotWritten, TaskmuxError
from taskmux.files import read_text
from taskmux.lifecycle import RESTING
from taskmux.project import ProjectConfig, parse
from taskmux.scarcity import described
from taskmux.supervisor import CarriedProject, Services, Supervisor, abandon, recall

from .aliases import Aliases

PAUSE = 0.05
"""Seconds in which a file must not change to be taken for what somebody wanted to write."""

MOST_LOOKS = 20
"""One that never comes to rest is taken as it is."""


class Project:
    """A taskmux.toml and what runs because of it.

    `supervisor` is None until the file could be read once; after that it stays,
    with the last good configuration, whatever becomes of the file.
    """

    def __init__(
        self, session: str, path: Path, services: Services, carried: CarriedProject | None = None
    ) -> None:
        """See `host`; what was `carried` goes on as it is."""
        self.session = session
        self.path = path
        self.supervisor: Supervisor | None = None
        self.error: TaskmuxError | None = None
        """What is wrong with the file now; None if nothing is."""

        self.aliases = Aliases(session, services)
        self.lock = anyio.Lock()
        """Held while the file is read and applied, or edited."""

        self._services = services
        self._config: ProjectConfig | None = None
        self._carried = carried
        self._closing = anyio.Event()
        self._resume = False

    @property
    def name(self) -> str:
        """What the newest file that was right calls it; its session, as soon as that is free."""
        return self.session if self._config is None else self._config.name

    def rename(self, session: str) -> None:
        """Go by another name; raise `NotWritten` if what is kept of it cannot, and nothing has."""
        try:
            self._services.store.rename_project(self.session, session)
        except OSError as error:
            folder = paths.project(self._services.home, session)
            raise NotWritten(str(folder), described(error)) from None
        before, self.session = self.session, session
        self.aliases.session = session
        if self.supervisor is not None:
            self.supervisor.rename(session)
        self._services.bus.publish("project_renamed", session, before=before)

    async def move(self, path: Path, config: ProjectConfig) -> None:
        """Go on from the taskmux.toml at another path, with all that runs.

        Raises what keeps `config`, which is what it says, from being carried
        out; the project is then where it was.
        """
        async with self.lock:
            supervisor, was = self.opened(), self.path
            before, outdated = supervisor.crew.config, await supervisor.apply(config, path.parent)
            self.path, self._config, self.error = path, config, None
            facts = {"before": str(was), "path": str(path)}
            self._services.bus.publish("project_moved", self.session, **facts)
            self._note_change(before, outdated)

    def refuse(self, error: TaskmuxError) -> None:
        """Take notice of what is wrong with the file beyond what it says."""
        self._note_error(error)

    @property
    def state(self) -> str:
        """`ok`, `config_missing` or `error`."""
        if self.error is None:
            return "ok"
        return "config_missing" if isinstance(self.error, NoConfig) else "error"

    @property
    def at_rest(self) -> bool:
        """Whether no task of it runs, or is about to."""
        members = {} if self.supervisor is None else self.supervisor.crew.members
        return all(member.task.state in RESTING for member in members.values())

    @property
    def abandoned(self) -> bool:
        """Whether there is no file now, and no task runs: those that do are no reason to end."""
        return self.state == "config_missing" and self.at_rest and not self.path.exists()

    def opened(self) -> Supervisor:
        """Return the supervisor, or raise what keeps the project from having one."""
        if self.supervisor is None:
            raise self.error or NoConfig(str(self.path.parent))
        return self.supervisor

    async def host(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep the project's tasks until `close`; without a usable file, wait for one."""
        async with AsyncExitStack() as stack:
            await self._open(stack)
            await self.aliases.recall()
            task_status.started()
            await self._closing.wait()
            # Nobody applies a new file to tasks that are ending.
            async with self.lock:
                if self.supervisor is not None:
                    await self.supervisor.shut_down(resume=self._resume)
                await stack.aclose()
                self.supervisor = None

    def close(self, *, resume: bool = False) -> None:
        """Have `host` stop every task and return; with `resume`, the next daemon starts them."""
        self._resume = resume
        self._closing.set()

    @property
    def portable(self) -> bool:
        """Whether `carry` would carry all that goes on now."""
        quiet = not self.lock.locked() and not self._closing.is_set()
        return quiet and (self.supervisor is None or self.supervisor.portable)

    async def settle(self) -> None:
        """Wait for what keeps it from being portable now; something else may, then."""
        async with self.lock:
            pass
        if self.supervisor is not None:
            await self.supervisor.settle()

    def busy(self) -> list[str]:
        """Return the tasks that keep it from being portable, and why they do."""
        crew = {} if self.supervisor is None else self.supervisor.crew.members
        runners = {name: member.runner for name, member in crew.items()}
        return [f"{n} ({r.task.reason})" for n, r in runners.items() if not r.portable]

    def carry(self) -> CarriedProject | None:
        """Return what it takes to go on in another program of this process; None if nothing."""
        return None if self.supervisor is None else self.supervisor.carry()

    def note_opened(self) -> None:
        """Tell that there is a file now that can be used, where there was none before."""
        if self.supervisor is not None:
            self._note_change(ProjectConfig(), [])

    def changed(self) -> bool:
        """Return whether the file can be read and says something new; note why it cannot."""
        try:
            return read_config(self.path) != self._config
        except TaskmuxError as error:
            self._note_error(error)
            return False

    async def reload(self) -> list[str] | None:
        """Read the file again and apply what changed; return the tasks to restart for it.

        None says that nothing changed. A file that is gone, or wrong, changes
        nothing that runs: `error` says so, and an event.
        """
        async with self.lock:
            try:
                text = read_text(self.path)
                if self.error is None and self._config and text == self._config.text:
                    return None  # most often; to read it as TOML costs twenty times as much
                config = parse(await self._settled(text), str(self.path))
                outdated = await self._apply(config)
            except TaskmuxError as error:
                self._note_error(error)
                raise
            self.error = None
            return outdated

    async def edit(self, change: Callable[[str], str]) -> None:
        """Rewrite the file with `change(text)`, if the outcome can be carried out, and do that."""
        async with self.lock:
            after = change(await self._settled(read_text(self.path)))
            config = parse(after, str(self.path))
            if self.supervisor is not None:
                self.supervisor.crew.check(config)
            replace_text(self.path, after)
            await self._apply(config)
            self.error = None

    async def _settled(self, text: str) -> str:
        """Return what the file says, which was `text`, once nobody is writing it any more.

        Half a file may be right by itself, and would end the tasks of the other half.
        """
        for _ in range(MOST_LOOKS):
            await anyio.sleep(PAUSE)
            before, text = text, read_text(self.path)
            if text == before:
                break
        # Whoever makes it by a redirection has it empty for as long as that takes.
        if not text.strip() and self._config is not None and self._config.tasks:
            raise EmptyConfig(str(self.path))
        return text

    async def _open(self, stack: AsyncExitStack) -> None:
        carried, self._carried = self._carried, None
        try:
            config = self._config = self._first_config(carried)
            folder = self.path.parent
            opening = Supervisor.open(self.session, folder, config, self._services, carried)
            self.supervisor = await stack.enter_async_context(opening)
            if carried is not None:
                self.changed()  # what is wrong with the file counts, if not what is right
        except TaskmuxError as error:
            self._note_error(error)
            # What runs already is ours to end all the same.
            if carried is None:
                await recall(self.session, self._services)
            else:
                await abandon(carried)

    def _first_config(self, carried: CarriedProject | None) -> ProjectConfig:
        # What was in force stays so until the file was read as a change of it.
        return read_config(self.path) if carried is None else parse(carried.text, str(self.path))

    async def _apply(self, config: ProjectConfig) -> list[str] | None:
        if config == self._config or self.supervisor is None:
            return None
        before, outdated = self.supervisor.crew.config, await self.supervisor.apply(config)
        self._config = config
        self._note_change(before, outdated)
        return outdated

    def _note_change(self, before: ProjectConfig, outdated: list[str]) -> None:
        now = self.opened().crew.config.tasks
        facts = {
            "added": sorted(set(now) - set(before.tasks)),
            "removed": sorted(set(before.tasks) - set(now)),
            "restart_needed": outdated,
        }
        self._services.bus.publish("config_reloaded", self.session, **facts)

    def _note_error(self, error: TaskmuxError) -> None:
        if str(error) != str(self.error or ""):
            self._services.bus.publish(
                "config_error", self.session, reason=str(error), error_code=error.code
            )
        self.error = error


def read_config(path: Path) -> ProjectConfig:
    """Return what a taskmux.toml says; raise the error that says what is wrong with it."""
    return parse(read_text(path), str(path))


def replace_text(path: Path, text: str) -> None:
    """Replace a file at once, with its mode; through a symlink, the file it leads to.

    Raise `NotWritten` if that cannot be; it is then as it was.
    """
    path = path.resolve()
    beside = path.with_name(f".{path.name}.taskmux-new")
    try:
        try:
            beside.write_bytes(text.encode())
            shutil.copymode(path, beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise NotWritten(str(path), described(error)) from None
