from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from taskmux.contracts import HealthProbe, ProbeResult, ProbeTarget, ShellRun, TaskFacts
from taskmux.probes.check import CheckProbe, judge
from taskmux.testing import AskingProbeContract, probe_target


@asynccontextmanager
async def checked_by(command: str, folder: Path) -> AsyncIterator[ProbeTarget]:
    yield probe_target(TaskFacts("web", health_check=command), folder, port=23417)


class TestCheck(AskingProbeContract):
    def make(self) -> HealthProbe:
        return CheckProbe()

    def well(self, folder: Path) -> AbstractAsyncContextManager[ProbeTarget]:
        return checked_by("true", folder)

    def unwell(self, folder: Path) -> AbstractAsyncContextManager[ProbeTarget]:
        return checked_by("false", folder)

    def silent(self, folder: Path) -> AbstractAsyncContextManager[ProbeTarget]:
        return checked_by("sleep 60; true", folder)


@pytest.mark.parametrize(
    ("run", "ok", "detail"),
    [
        (ShellRun(0, "all\nwell\n"), True, "exited with 0"),
        (ShellRun(1, ""), False, "exited with 1"),
        (ShellRun(2, "trying\n  no such host \n\n"), False, "exited with 2: no such host"),
        (ShellRun(127, "sh: x: not found"), False, "command not found (exited with 127): sh: x"),
        (ShellRun(-9, ""), False, "killed by signal 9"),
        (ShellRun(1, "x" * 999), False, "exited with 1: " + "x" * 200),
    ],
)
def test_judge(run: ShellRun, ok: bool, detail: str) -> None:
    result = judge(run)
    assert result.ok is ok
    assert result.detail.startswith(detail)
    assert len(result.detail) < 300


async def test_the_command_has_the_tasks_folder_and_port(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    async with checked_by("test -e here && echo $PORT && exit 3", tmp_path) as target:
        result = await CheckProbe().prepare(target)()
    assert result == ProbeResult(False, "exited with 3: 23417")


def test_applies_where_there_is_a_command() -> None:
    assert CheckProbe().applies(TaskFacts("web", health_check="true"))
    assert not CheckProbe().applies(TaskFacts("web"))
    with pytest.raises(ValueError, match="'health_check' needs health_check beside it"):
        CheckProbe().applies(TaskFacts("web", health_probe="health_check"))
