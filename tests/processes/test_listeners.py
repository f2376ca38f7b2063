from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from taskmux.processes import Listeners, Trace, native
from taskmux.processes.model import MARKER

SERVER = """
import socket, sys
doors = []
for line in sys.stdin:
    if line == "open\\n":
        doors.append(socket.create_server(("127.0.0.1", 0)))
        print(doors[-1].getsockname()[1], flush=True)
    else:
        doors.pop().close()
        print(0, flush=True)
"""


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[str], Trace]]:
    run_id = str(uuid4())
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={MARKER: run_id},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        try:
            yield process, Trace(run_id, process.pid, native.started(process.pid) or 0)
        finally:
            process.kill()


def tell(process: subprocess.Popen[str], word: str) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    print(word, file=process.stdin, flush=True)
    return int(process.stdout.readline())


async def test_what_is_opened_and_closed_is_seen_at_once() -> None:
    with server() as (process, trace):
        listeners = Listeners(trace)
        assert await listeners.ports() == []
        for _ in range(3):
            port = tell(process, "open")
            assert await listeners.ports() == [port]
            assert await listeners.ports() == [port]
            tell(process, "close")
            assert await listeners.ports() == []


async def test_strangers_are_not_counted() -> None:
    with server() as (process, trace), socket.create_server(("127.0.0.1", 0)):
        port = tell(process, "open")
        assert await Listeners(trace).ports() == [port]
