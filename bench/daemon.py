"""A daemon of our own, with a home of its own, for as long as a benchmark needs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from taskmux import paths, wire
from taskmux.client import Client
from taskmux.errors import DaemonNotRunning
from taskmux.files import write_private

PATIENCE = 60.0
"""How long the daemon may take to come up, or to end."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon at work with one project, of which no task was started yet."""

    client: Client
    process: psutil.Process
    home: Path
    folder: Path
    """Where the project's taskmux.toml is."""

    @property
    def config(self) -> str:
        """The project's taskmux.toml, which names it in requests."""
        return str(self.folder / paths.CONFIG_NAME)

    @property
    def environ(self) -> dict[str, str]:
        """The environment in which a command finds this daemon."""
        return _environ(self.home)

    def start(self, *tasks: str, wait: bool = True) -> None:
        """Start tasks, or all; fail if one can't be."""
        request = wire.StartTasks(
            config=self.config, tasks=tasks, environ=dict(os.environ), wait=wait, timeout=PATIENCE
        )
        report = self.client.start(request)
        assert report.ok, report

    def kill(self) -> None:
        """End every task at once, and return when none is left."""
        report = self.client.kill(wire.Kill(config=self.config))
        assert report.ok, report

    def log(self, task: str) -> Path:
        """Return where a task's output goes."""
        return paths.log(self.home, "bench", task)


@contextmanager
def running(tasks: str, settings: str = "") -> Iterator[Daemon]:
    """Run a daemon whose project has the `[tasks.…]` tables given; nothing is left of it after.

    `settings` are what its config.toml says.
    """
    with TemporaryDirectory(prefix="taskmux-bench-") as place:
        home, folder = Path(place).resolve() / "home", Path(place).resolve() / "project"
        folder.mkdir()
        (folder / paths.CONFIG_NAME).write_text(f'name = "bench"\n\n{tasks}')
        home.mkdir(mode=0o700)
        write_private(paths.host_config(home), settings.encode())
        with _spawned(home, Path(place) / "daemon.err") as process:
            client = Client(paths.door(home))
            client.register(wire.Register(config=str(folder / paths.CONFIG_NAME)))
            yield Daemon(client, psutil.Process(process.pid), home, folder)


@contextmanager
def _spawned(home: Path, complaints: Path) -> Iterator[subprocess.Popen[bytes]]:
    with complaints.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "taskmux.daemon", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stderr=said,
            cwd="/",
            env=_environ(home),
            start_new_session=True,  # Ctrl-C is for us, who then end it in order
        )
    try:
        _await_answer(process, home, complaints)
        yield process
    finally:
        _end(process)


def _await_answer(process: subprocess.Popen[bytes], home: Path, complaints: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            Client(paths.door(home)).hello()
            return
        except DaemonNotRunning:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"no daemon:\n{complaints.read_text()}") from None
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    # A daemon that must be killed takes its tasks along: their terminals hang up.
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _environ(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TASKMUX_")}
    return kept | {"TASKMUX_HOME": str(home), "TASKMUX_ALLOW_ROOT": "1"}
