from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from taskmux.processes.model import MARKER
from taskmux.processes.spawn import spawn
from taskmux.processes.sweep import Trace, end
from taskmux.processes.terminal import Terminal


class Run:
    """A shell at a terminal, and what it is known by."""

    def __init__(self, command: str, terminal: Terminal | None = None) -> None:
        self.terminal = Terminal.open() if terminal is None else terminal
        run_id = str(uuid4())
        environ = {"PATH": os.environ["PATH"], "GREETING": "hello", MARKER: run_id}
        self.child = spawn(command, cwd=Path.cwd(), environ=environ, terminal=self.terminal)
        self.trace = Trace(run_id, self.child.pid, self.child.started)

    async def output(self) -> bytes:
        pieces: list[bytes] = []
        with anyio.fail_after(20):
            await self.terminal.drain(pieces.append, lambda: None)
        return b"".join(pieces)

    async def status(self) -> int:
        with anyio.fail_after(20):
            return await self.child.exited()


Runs = Callable[..., Run]


@pytest.fixture
async def run(home: Path) -> AsyncIterator[Runs]:
    """Starts a shell at a terminal in the current folder; it is gone after the test."""
    made: list[Run] = []

    def make(command: str, terminal: Terminal | None = None) -> Run:
        made.append(Run(command, terminal))
        return made[-1]

    yield make
    for one in made:
        one.child.signal(signal.SIGKILL)
        assert await end(one.trace) == []
        one.child.reap()
        one.terminal.close()


class Pipe:
    """A FIFO in the current folder, `./pipe`, and the end of it that is read."""

    def __init__(self) -> None:
        os.mkfifo("pipe")
        self.fd = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)

    async def line(self) -> str:
        """Return the next line; empty as soon as nobody has it open."""
        line = b""
        with anyio.fail_after(20):
            while not line.endswith(b"\n"):
                await anyio.wait_readable(self.fd)
                if not (byte := os.read(self.fd, 1)):
                    break
                line += byte
        return line.decode().strip()


@pytest.fixture
def pipe(home: Path) -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.fd)


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[int]]:
    """A context in which we are another user, who may not touch what is ours."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")

    @contextmanager
    def be() -> Iterator[int]:
        os.setresuid(65534, 65534, 0)
        try:
            yield 65534
        finally:
            os.setresuid(0, 0, 0)

    return be


@pytest.fixture
def descriptors() -> Callable[[], int]:
    """Returns how many files we have open."""
    return lambda: len(list(Path("/dev/fd").iterdir()))
