from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.processes import badge, native

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe, Runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of others are in /proc")

MINE = Path("/proc/self/limits")


@pytest.fixture(autouse=True)
def bare() -> Iterator[None]:
    badge.shed()
    yield
    badge.shed()


@given(st.uuids(version=4))
def test_any_marker_can_be_worn_and_read(marker: UUID) -> None:
    badge.pin(os.getpid(), str(marker))
    assert badge.read(MINE.read_bytes()) == str(marker)


@pytest.mark.parametrize("marker", ["", "other", "0d8a9f9e-c873-11f0-9c5b-0242ac120002"])
def test_what_is_no_random_uuid_is_not_worn(marker: str) -> None:
    badge.pin(os.getpid(), marker)
    assert badge.read(MINE.read_bytes()) is None


async def test_nobody_wears_it_but_the_task(run: Runs, pipe: Pipe) -> None:
    task = run("read line; setsid env -i sh -c 'echo $$ >pipe; read line'; :")
    assert native.marker_of(os.getpid()) is None
    os.write(task.terminal.master, b"go\n")
    child = int(await pipe.line())
    assert native.marker_of(child) == task.trace.run_id
    assert native.marker_of(os.getpid()) is None


def test_one_that_has_ended_gets_none() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    badge.pin(pid, str(uuid4()))


@pytest.mark.parametrize("limits", [b"", b"Max file locks", b"Max file locks 5 5 locks\n"])
def test_limits_of_any_kind_are_no_badge(limits: bytes) -> None:
    assert badge.read(limits) is None
    assert badge.read(b"Max resident set 4611686018427387905 unlimited bytes\n" + limits) is None


def test_a_badge_comes_off() -> None:
    badge.pin(os.getpid(), str(uuid4()))
    badge.shed()
    assert badge.read(MINE.read_bytes()) is None
    assert resource.getrlimit(resource.RLIMIT_RSS) == (-1, -1)


async def test_it_is_read_where_the_environment_may_not_be(
    run: Runs, pipe: Pipe, as_nobody: Callable[[], AbstractContextManager[int]]
) -> None:
    task = run("echo up >pipe; read line")
    assert await pipe.line() == "up"
    with as_nobody():
        assert not os.access(f"/proc/{task.child.pid}/environ", os.R_OK, effective_ids=True)
        assert native.marker_of(task.child.pid) == task.trace.run_id
