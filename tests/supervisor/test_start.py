from __future__ import annotations

import socket

import anyio

from taskmux.lifecycle import State
from taskmux.supervisor import Services
from tests.supervisor.conftest import Opened

WEB = '[tasks.web]\nhost = "web"\ncommand = "exec python3 -m http.server $PORT --bind 127.0.0.1"\n'


async def test_who_goes_away_while_ports_are_cleared_has_started_the_task(opened: Opened) -> None:
    async with opened(WEB) as supervisor:
        runner = supervisor.crew["web"].runner
        with socket.create_server(("127.0.0.1", supervisor.crew["web"].port)):
            async with anyio.create_task_group() as caller:
                caller.start_soon(supervisor.start, ["web"])
                await anyio.lowlevel.checkpoint()
                await anyio.lowlevel.checkpoint()
                assert runner.task.state is State.STOPPED
                caller.cancel_scope.cancel()
            await runner.wait_until(lambda task: task.state is State.RUNNING)


async def test_what_is_started_twice_at_once_is_started_once(
    opened: Opened, services: Services
) -> None:
    async with opened('[tasks.a]\ncommand = "exec sleep 1000"\n') as supervisor:
        told: list[str] = []

        async def start() -> None:
            [report] = await supervisor.start(["a"], if_stopped=True)
            told.append(report.action)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(start)
        assert supervisor.crew["a"].run == 1
        assert len(told) == 3
