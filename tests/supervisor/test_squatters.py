from __future__ import annotations

from pathlib import Path

from taskmux.lifecycle import State
from taskmux.supervisor import Services
from taskmux.supervisor.squatters import evict, held
from tests.supervisor.conftest import Opened

LISTEN = """
import socket, sys, time
door = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
time.sleep(1000)
"""
WEB = '[tasks.web]\ncommand = "exec python3 -u listen.py $PORT"\nready_log = "up"\n'


async def test_what_runs_now_is_not_evicted(
    opened: Opened, services: Services, tmp_path: Path
) -> None:
    (tmp_path / "shop" / "listen.py").write_text(LISTEN)
    async with opened(WEB) as supervisor:
        await supervisor.start(["web"])
        web = supervisor.crew["web"]
        by = await held(web.port)
        assert web.runner.life is not None
        assert by is not None
        assert by.pid == web.runner.life.pid
        assert await evict(web.port, services.home, "shop") is None
        assert web.task.state is State.RUNNING
        assert await held(web.port) == by
