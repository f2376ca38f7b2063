from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from socket import AF_INET, AF_INET6, socket

import pytest

from taskmux.contracts import HealthProbe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.probes.elsewhere import misplaced, places
from taskmux.probes.tcp import TcpProbe
from taskmux.testing import HealthProbeContract, probe_target

WEB = TaskFacts("web", host="web")


@asynccontextmanager
async def listening(folder: Path, address: str = "127.0.0.1") -> AsyncIterator[ProbeTarget]:
    with socket(AF_INET6 if ":" in address else AF_INET) as door:
        door.bind((address, 0))
        door.listen()
        yield probe_target(WEB, folder, port=door.getsockname()[1])


@asynccontextmanager
async def closed(folder: Path, *ports: int) -> AsyncIterator[ProbeTarget]:
    async def elsewhere() -> Sequence[int]:
        return ports

    with socket() as door:  # bound, and nobody listens
        door.bind(("127.0.0.1", 0))
        yield probe_target(WEB, folder, port=door.getsockname()[1], listening=elsewhere)


class TestTcp(HealthProbeContract):
    def make(self) -> HealthProbe:
        return TcpProbe()

    well = staticmethod(listening)
    unwell = staticmethod(closed)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0"])
async def test_finds_a_listener_on_either_loopback(tmp_path: Path, address: str) -> None:
    async with listening(tmp_path, address) as target:
        result = await TcpProbe().prepare(target)()
    assert result == ProbeResult(True, f"port {target.port} accepts connections")


async def test_after_a_while_says_where_the_task_listens_instead(tmp_path: Path) -> None:
    now = 100.0
    async with closed(tmp_path, 5173) as target:
        ask = TcpProbe(lambda: now).prepare(target)
        now += 0.9
        assert await ask() == ProbeResult(False, "connection refused")
        now += 0.2
        expected = f"listening on 5173, expected {target.port}"
        assert await ask() == ProbeResult(False, expected)


async def test_a_task_that_listens_nowhere_refuses(tmp_path: Path) -> None:
    now = 100.0
    async with closed(tmp_path) as target:
        ask = TcpProbe(lambda: now).prepare(target)
        now += 2
        assert await ask() == ProbeResult(False, "connection refused")


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ([], None),
        ([23417], None),
        ([5173, 23417], None),
        ([5174, 5173, 5173], "listening on 5173, 5174, expected 23417"),
    ],
)
def test_misplaced(ports: list[int], said: str | None) -> None:
    assert misplaced(ports, 23417) == said
    assert places(f"not ready yet: {said}") == ([] if said is None else sorted(set(ports)))


def test_applies_to_tasks_with_a_host_and_others_by_name() -> None:
    assert TcpProbe().applies(WEB)
    assert not TcpProbe().applies(TaskFacts("worker"))
    TcpProbe().applies(TaskFacts("worker", health_probe="tcp"))
    with pytest.raises(ValueError, match="'tcp' takes no health_options"):
        TcpProbe().applies(TaskFacts("web", health_probe="tcp", health_options={"port": 1}))
