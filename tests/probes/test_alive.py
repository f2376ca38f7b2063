from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from taskmux.contracts import HealthProbe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.probes.alive import AliveProbe
from taskmux.probes.shell import idle_shell
from taskmux.testing import HealthProbeContract, probe_target


class TestAlive(HealthProbeContract):
    def make(self) -> HealthProbe:
        return AliveProbe()

    @asynccontextmanager
    async def well(self, folder: Path) -> AsyncIterator[ProbeTarget]:
        yield probe_target(TaskFacts("web"), folder)

    unwell = well  # in its first moment


async def test_a_process_is_well_once_its_first_moment_is_over(tmp_path: Path) -> None:
    now = 100.0
    ask = AliveProbe(lambda: now, lambda pid: False).prepare(
        probe_target(TaskFacts("web"), tmp_path)
    )
    now += 0.09
    assert await ask() == ProbeResult(False, "just started")
    now += 0.02
    assert await ask() == ProbeResult(True, "the process is alive")


async def test_a_shell_that_looks_for_its_program_is_not_well_yet(tmp_path: Path) -> None:
    now, idle = 100.0, True
    ask = AliveProbe(lambda: now, lambda pid: idle).prepare(
        probe_target(TaskFacts("web"), tmp_path)
    )
    now += 0.5
    assert not (await ask()).ok
    idle = False
    assert (await ask()).ok


async def test_a_shell_that_needs_no_program_is_well_after_a_second(tmp_path: Path) -> None:
    now = 100.0
    ask = AliveProbe(lambda: now, lambda pid: True).prepare(
        probe_target(TaskFacts("web"), tmp_path)
    )
    now += 1.1
    assert (await ask()).ok


@pytest.mark.parametrize(
    ("command", "idle"),
    [
        pytest.param("echo up; read line", True, id="reads"),
        pytest.param("echo up; exec sleep 60", False, id="replaced"),
        pytest.param("sleep 60 & echo up; read line", False, id="has a child"),
    ],
)
def test_what_a_bare_shell_is(command: str, idle: bool) -> None:
    with subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == b"up\n"
        try:
            # Between its line and its program a shell is bare for a moment.
            while idle_shell(shell.pid) != idle:
                pass
        finally:
            os.killpg(shell.pid, signal.SIGKILL)


def test_a_process_that_is_gone_runs_nothing() -> None:
    with subprocess.Popen(["true"]) as gone:
        os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
        assert idle_shell(gone.pid)
    assert idle_shell(gone.pid)


def test_applies_to_every_task_and_has_no_options() -> None:
    assert AliveProbe().applies(TaskFacts("web"))
    task = TaskFacts("web", health_probe="alive", health_options={"after": 3})
    with pytest.raises(ValueError, match="'alive' takes no health_options"):
        AliveProbe().applies(task)
