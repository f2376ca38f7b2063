from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from taskmux import wire
from taskmux.client import Client
from taskmux.paths import door
from tests.e2e.site import Site

TASKS = """
[tasks.server]
command = "exec python3 -S server.py"
host = "api"
[tasks.litter]
command = "setsid sleep 1000 & sleep 1000 & echo up; wait"
ready_log = "up"
[tasks.checked]
command = "exec sleep 1000"
health_check = "true"
[tasks.hooked]
command = "exec sleep 1000"
[tasks.hooked.hooks]
before_start = "true"
after_stop = "true"
"""


SERVER = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    server.accept()[0].close()
"""


def play(site: Site, rounds: int) -> None:
    """Start and stop everything so often; nothing may be more afterwards than it was before."""
    site.write(TASKS)
    (site.folder / "server.py").write_text(SERVER)
    client = Client(door(site.home))
    config, environ = str(site.folder / "taskmux.toml"), dict(os.environ)
    site.ask("status")

    def once() -> None:
        start = wire.StartTasks(config=config, environ=environ, wait=True, timeout=60)
        assert client.start(start).ok
        assert client.stop(wire.StopTasks(config=config)).ok

    once()
    pid = site.daemon_pid()
    assert pid is not None
    before = opened(pid)
    ports = {name: task["port"] for name, task in site.tasks().items()}
    for _ in range(rounds):
        once()
    assert site.left() == [pid]
    assert opened(pid) == before
    assert {name: task["port"] for name, task in site.tasks().items()} == ports


def opened(pid: int) -> Counter[str]:
    """Return what the daemon has open, by kind; connections of this moment left out."""
    kinds: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            kinds[str(entry.readlink()).partition(":")[0]] += 1
        except FileNotFoundError:
            continue
    del kinds["socket"]
    return kinds


def test_rounds_of_starts_and_stops_leave_nothing(site: Site) -> None:
    play(site, 8)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_thousand_rounds_leave_nothing(site: Site) -> None:
    play(site, 1000)
