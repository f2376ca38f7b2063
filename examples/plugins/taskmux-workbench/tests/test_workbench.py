from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from taskmux_workbench.heartbeat import HeartbeatProbe
from taskmux_workbench.names_file import NamesFileResolver

from taskmux.contracts import ProbeTarget, TaskFacts
from taskmux.testing import HealthProbeContract, HostResolverContract, probe_target

TASK = TaskFacts("worker", health_probe="heartbeat", health_options={"file": "alive", "max_age": 5})


class TestHeartbeat(HealthProbeContract):
    def make(self) -> HeartbeatProbe:
        return HeartbeatProbe()

    @asynccontextmanager
    async def well(self, folder: Path) -> AsyncIterator[ProbeTarget]:
        (folder / "alive").touch()
        yield probe_target(TASK, folder)

    @asynccontextmanager
    async def unwell(self, folder: Path) -> AsyncIterator[ProbeTarget]:
        silent = folder / "silent"
        silent.mkdir()
        (silent / "alive").touch()
        an_hour_ago = time.time() - 3600
        os.utime(silent / "alive", (an_hour_ago, an_hour_ago))
        yield probe_target(TASK, silent)

    @pytest.mark.parametrize(
        "options", [{}, {"file": 3}, {"file": "a", "max_age": -1}, {"file": "a", "fiel": "b"}]
    )
    def test_options_that_cannot_be_meant_are_errors(self, options: Mapping[str, object]) -> None:
        task = TaskFacts("worker", health_probe="heartbeat", health_options=options)
        with pytest.raises(ValueError, match=r"health_options|max_age"):
            self.make().applies(task)


class TestNamesFile(HostResolverContract):
    def make(self, folder: Path) -> NamesFileResolver:
        self.file = folder / "names.txt"
        return NamesFileResolver()

    def settings(self) -> Mapping[str, str]:
        return {"file": str(self.file)}

    def lookup(self) -> dict[str, str]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return {name: address for address, name in (line.split() for line in lines)}
