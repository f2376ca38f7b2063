from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.processes import badge, native
from taskmux.processes.sweep import Trace, end

if TYPE_CHECKING:
    from tests.processes.conftest import Pipe, Runs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of others are in /proc")

MINE = Path("/proc/self/limits")


@given(st.uuids(version=4))
def test_any_marker_can_be_worn_and_read(marker: UUID) -> None:
    before = MINE.read_bytes()
    with badge.worn(str(marker)):
        assert badge.read(MINE.read_bytes()) == str(marker)
    assert MINE.read_bytes() == before


@pytest.mark.parametrize("marker", ["", "other", "0d8a9f9e-c873-11f0-9c5b-0242ac120002"])
def test_what_is_no_random_uuid_is_not_worn(marker: str) -> None:
    with badge.worn(marker):
        assert badge.read(MINE.read_bytes()) is None


async def test_it_is_inherited_without_the_environment(run: Runs, pipe: Pipe) -> None:
    task = run("setsid env -i sh -c 'echo $$ >pipe; read line'; :")
    assert native.marker_of(int(await pipe.line())) == task.trace.run_id
    assert native.marker_of(os.getpid()) is None


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "300"])


async def test_neither_we_nor_what_we_made_while_a_task_was_made_is_the_task_s() -> None:
    marker = str(uuid4())
    with badge.worn(marker), sleeper() as helper:
        try:
            assert await end(Trace(marker, 0, 0)) == []
            assert helper.poll() is None
        finally:
            helper.kill()


@pytest.mark.parametrize("limits", [b"", b"Max file locks", b"Max file locks 5 5 locks\n"])
def test_limits_of_any_kind_are_no_badge(limits: bytes) -> None:
    assert badge.read(limits) is None
    assert badge.read(b"Max resident set 4611686018427387905 unlimited bytes\n" + limits) is None


def test_a_badge_comes_off() -> None:
    with badge.worn(str(uuid4())):
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
