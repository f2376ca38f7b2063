"""A whole project: how soon each task starts once the last of what it needs is ready."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from statistics import median

from taskmux import wire

from .daemon import Daemon, running
from .figure import Figure, at_most
from .scale import Scale
from .shells import SLEEP

SERVER = "exec python3 -m http.server $PORT"
TABLES = f"""
[tasks.db]
command = "touch db-up; {SLEEP}"
health_check = "test -f db-up"
health_interval = 0.2

[tasks.migrate]
command = "true"
type = "oneshot"
depends_on = ["db"]

[tasks.api]
command = "{SERVER}"
host = "api"
depends_on = ["migrate"]

[tasks.worker]
command = "{SLEEP}"
depends_on = ["db"]

[tasks.web]
command = "{SERVER}"
host = "web"
depends_on = ["api"]

[tasks.storybook]
command = "{SLEEP}"
auto_start = false
"""
NEEDS = {"migrate": "db", "worker": "db", "api": "migrate", "web": "api"}
READY = {"task_ready", "task_completed"}


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the delay of the slowest task, by the times of the events."""
    with running(TABLES) as daemon:
        rounds = [_slowest(daemon) for _ in range(scale.latency_rounds)]
    yield Figure(
        subject="five tasks in four ranks: the slowest start after what it needs is ready",
        value=median(rounds),
        limit=at_most(20),
        spread=(min(rounds), max(rounds)),
        unit="ms",
    )


def _slowest(daemon: Daemon) -> float:
    before = daemon.client.events(wire.Events()).next
    daemon.start()
    events = daemon.client.events(wire.Events(after=before)).events
    daemon.kill()
    (daemon.folder / "db-up").unlink()
    times = [(e.get("task"), e["event"], datetime.fromisoformat(e["ts"])) for e in events]
    ready = {task: at for task, event, at in times if event in READY}
    started = {task: at for task, event, at in times if event == "task_started"}
    delays = [started[task] - ready[need] for task, need in NEEDS.items()]
    return max(delays).total_seconds() * 1000
