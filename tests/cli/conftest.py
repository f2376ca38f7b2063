from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from typing import Any

import msgspec
import pytest

from taskmux import wire
from taskmux.address import reachable
from taskmux.cli import main

CONFIG = """\
name = "shop"

[tasks.api]
command = "serve"
host = "api"

[tasks.web]
command = "vite"
depends_on = ["api"]
"""

EVIL = "\x1b]0;mine\x07\u202e[bold]"
SHOWN = r"\x1b]0;mine\x07\u202e[bold]"

Frame = dict[str, Any]


class Door(StreamRequestHandler):
    server: FakeDaemon

    def handle(self) -> None:
        with suppress(ConnectionError):
            if line := self.rfile.readline():
                request = json.loads(line)
                self.server.asked.append(request)
                self.wfile.write(self.server.reply(request))


class FakeDaemon(ThreadingUnixStreamServer):
    """A real socket with canned answers behind it; remembers what it was asked."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, door: Path) -> None:
        self.asked: list[Frame] = []
        self.answers: dict[str, object] = {}
        """By command: a report, a frame, several of either, or bytes as they are."""
        door.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with reachable(door) as address:
            super().__init__(address, Door)

    @property
    def params(self) -> Frame:
        """What the newest request asked for, the fields that are null left out."""
        return {key: value for key, value in self.asked[-1]["params"].items() if value is not None}

    def reply(self, request: Frame) -> bytes:
        answer = self.answers[request["command"]]
        if callable(answer):
            answer = answer()
        if isinstance(answer, bytes):
            return answer
        answers = answer if isinstance(answer, list) else [answer]
        return b"".join(self._line(request, one) for one in answers)

    def _line(self, request: Frame, answer: object) -> bytes:
        fields = msgspec.to_builtins(answer)
        head = {} if "push" in fields else {"command": request["command"], "ok": True}
        if "push" not in fields and "id" not in fields:
            head["id"] = request["id"]
        return msgspec.json.encode(head | fields) + b"\n"


@pytest.fixture
def daemon(home: Path) -> Iterator[FakeDaemon]:
    with FakeDaemon(home / "daemon.sock") as daemon:
        thread = threading.Thread(target=daemon.serve_forever, args=(0.01,))
        thread.start()
        yield daemon
        daemon.shutdown()
        thread.join()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "taskmux.toml"
    path.write_text(CONFIG)
    return path


class Screen(io.TextIOWrapper):
    """Where a command writes; a terminal if `terminal`."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.bytes = io.BytesIO()
        self.terminal = terminal
        super().__init__(self.bytes, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return self.terminal

    @property
    def text(self) -> str:
        return self.bytes.getvalue().decode()


@dataclass(frozen=True)
class Outcome:
    """What came of a command line."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        [line] = self.out.splitlines()
        return json.loads(line)


Taskmux = Callable[..., Outcome]


@pytest.fixture
def taskmux() -> Taskmux:
    """Run a command line in this process."""

    def run(*argv: str, terminal: bool = False, **environ: str) -> Outcome:
        out, err = Screen(terminal=terminal), Screen()
        status = main(argv, {**os.environ, **environ}, Path.cwd(), out, err)
        return Outcome(status, out.text, err.text)

    return run


def refusal(code: str, message: str, hint: str | None = None, **facts: object) -> Frame:
    """Return the daemon's error answer."""
    head = {"ok": False, "error": "some_slug", "message": message, "error_code": code}
    return {**head, "hint": hint, **facts}


def task(name: str, **changes: Any) -> wire.TaskReport:
    """Return the report of a task that is well."""
    fields: dict[str, Any] = {
        "name": name,
        "state": "running",
        "running": True,
        "healthy": True,
        "command": f"run {name}",
        "cwd": "/shop",
        "auto_start": True,
        "depends_on": {},
        "restart_policy": "on-failure",
        "max_restarts": 5,
        "host": None,
        "url": None,
        "port": 23417,
        "internal_url": "http://127.0.0.1:23417",
        "pid": 42,
        "run": 1,
        "started_at": "2024-01-01T14:00:00.000Z",
        "exit_code": None,
        "signal": None,
        "restarts": 0,
        "reason": "HTTP 200",
        "restart_needed": False,
        "last_health": None,
        "tunnel": None,
        "events": wire.TaskCounts(starts=1, restarts=0, health_failures=0, lines_dropped=0),
        "cpu": 0.25,
        "memory": 84_000_000,
    }
    return wire.TaskReport(**(fields | changes))


def status(*tasks: wire.TaskReport, **changes: Any) -> wire.StatusReport:
    """Return the report of a project with these tasks."""
    fields: dict[str, Any] = {
        "session": "shop",
        "running": True,
        "state": "ok",
        "error": None,
        "config": "/shop/taskmux.toml",
        "tasks": list(tasks),
        "warnings": [],
        "proxy": wire.ProxyReport(bound=True, port=443, reason=""),
        "daemon_pid": 4711,
    }
    return wire.StatusReport(**(fields | changes))


def done(name: str, action: str, **changes: Any) -> wire.ActionReport:
    """Return the report of what was done about a task."""
    fields = {"task": name, "action": action, "state": "running", "reason": "HTTP 200"}
    return wire.ActionReport(**(fields | changes))


def about(**changes: Any) -> wire.DaemonReport:
    """Return the report of a daemon that runs."""
    fields: dict[str, Any] = {
        "running": True,
        "pid": 4711,
        "version": "0.1.0",
        "protocol": wire.PROTOCOL,
        "started_at": "2024-01-01T14:00:00.000Z",
        "home": "/home/me/.taskmux",
        "api_port": 8765,
        "projects": 1,
        "tasks": 2,
        "reason": "",
    }
    return wire.DaemonReport(**(fields | changes))
