from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from taskmux.processes import end_strays, new_marker, run_shell, strays
from taskmux.processes.model import MARKER


@pytest.fixture(autouse=True)
def made(home: Path) -> None:
    home.mkdir()


def environ(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], MARKER: new_marker(home)}


@contextmanager
def stray(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], env=environ(home)) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_what_belongs_to_nothing_that_runs_is_found_and_ended(home: Path) -> None:
    with stray(home) as one, stray(home) as other:
        pids = sorted([one.pid, other.pid])
        assert [found.row.pid for found in await strays(home)] == pids
        assert await end_strays(home) == []
        assert (one.wait(), other.wait()) == (-signal.SIGKILL, -signal.SIGKILL)
    assert await strays(home) == []


async def test_runs_that_begin_and_end_meanwhile_are_no_strays(home: Path) -> None:
    statuses: set[int] = set()

    async def flap() -> None:
        while True:
            run = await run_shell("sleep 0.02", cwd=home, environ=environ(home))
            statuses.add(run.status)

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(flap)
        found = [one for _ in range(10) for one in await strays(home)]
        left = [pid for _ in range(5) for pid in await end_strays(home)]
        group.cancel_scope.cancel()
    assert (found, left, statuses) == ([], [], {0})
