from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskmux.bus.history import Wanted, follow
from taskmux.cli import main
from taskmux.client.launch import outlasting

QUIET = 'api_port = 0\nhost_resolver = "noop"\nproxy_enabled = false\n'
"""Settings of daemons that many of run at once: no port that others want, nobody's names."""


@dataclass
class Site:
    """A project in a folder, a home of its own, and the command line in between."""

    home: Path
    folder: Path

    def write(self, config: str) -> None:
        """Write the project's taskmux.toml; its name is `shop`."""
        (self.folder / "taskmux.toml").write_text(f'name = "shop"\n{config}')

    @property
    def environ(self) -> dict[str, str]:
        """What a shell would have in its environment."""
        ours = {"TASKMUX_HOME": str(self.home), "TASKMUX_ALLOW_ROOT": "1"}
        return {"PATH": os.environ["PATH"], "SHELL_HAS": "this", **ours}

    def call(self, *argv: str) -> tuple[int, Any]:
        """Run a command for a program; return its exit status and its one document."""
        out, err = io.StringIO(), io.StringIO()
        status = main([*argv, "--json"], self.environ, self.folder, out, err)
        return status, json.loads(out.getvalue())

    def ask(self, *argv: str) -> Any:
        """Run a command that must succeed; return its document."""
        status, document = self.call(*argv)
        assert status == 0, document
        return document

    def people(self, *argv: str) -> tuple[int, str, str]:
        """Run a command for a person; return its exit status, stdout and stderr."""
        out, err = io.StringIO(), io.StringIO()
        status = main(argv, self.environ, self.folder, out, err)
        return status, out.getvalue(), err.getvalue()

    def tasks(self) -> dict[str, Any]:
        """Return every task's status by name."""
        return {task["name"]: task for task in self.ask("status")["tasks"]}

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the project's events of these kinds, or all."""
        options = [word for kind in kinds for word in ("-e", kind)]
        found: list[dict[str, Any]] = self.ask("events", *options)["events"]
        return found

    def await_event(self, kind: str, after: int = 0, task: str | None = None) -> dict[str, Any]:
        """Return the first event of a kind, once there is one; of any task unless told which."""
        wanted = Wanted(session=self.folder.name, task=task, kinds=[kind], after=after)
        return next(follow(self.home / "events.jsonl", wanted))

    def lines(self, task: str) -> list[str]:
        """Return what a task printed, without stamps and without our own marks."""
        lines = [line.partition(" ")[2] for line in self.ask("logs", task)["lines"]]
        return [line for line in lines if not line.startswith("[taskmux]")]

    def daemon_pid(self) -> int | None:
        """Return the daemon's pid if one runs."""
        try:
            return int((self.home / "daemon.pid").read_text())
        except FileNotFoundError:
            return None

    def end(self) -> None:
        """Stop the daemon and see that nothing that belongs to this home is left."""
        pid = self.daemon_pid()
        if pid is not None:
            with outlasting(pid):
                assert self.call("daemon", "stop")[0] == 0
        for pid in self.left():
            ended(pid)  # a daemon that would not start may still be on its way out
        assert self.left() == []

    def left(self) -> list[int]:
        """Return the processes that were given this home."""
        return [pid for pid in pids() if self._home_of(pid) == str(self.home)]

    def _home_of(self, pid: int) -> str | None:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return None
        pairs = (entry.partition(b"=") for entry in environ.split(b"\0"))
        found = {name: value for name, _, value in pairs}
        return os.fsdecode(found.get(b"TASKMUX_HOME", b""))


def ended(pid: int) -> None:
    """Return once a process has ended, or after ten seconds."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        select.select([handle], [], [], 10)
        os.close(handle)


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def run_cli(site: Site, *argv: str) -> subprocess.Popen[bytes]:
    """Run a command in a process of its own."""
    command = [sys.executable, "-c", "from taskmux.cli import entry; entry()", *argv]
    return subprocess.Popen(
        command, cwd=site.folder, env=site.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
