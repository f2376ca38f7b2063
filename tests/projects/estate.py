"""What projects need of the daemon around them, and folders to be projects in."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from taskmux import paths
from taskmux.bus import Bus
from taskmux.plugins import Plugins
from taskmux.processes import Ports, boot_id, native
from taskmux.processes.model import MARKER
from taskmux.settings import Settings
from taskmux.store import Child, Store
from taskmux.supervisor import Services

Event = dict[str, Any]


def make_services(home: Path) -> Services:
    """Return the services of a daemon that lives in `home`."""
    bus = Bus(paths.events(home))

    def damaged(path: Path, why: str) -> None:
        bus.publish("state_damaged", path=str(path), reason=why)

    return Services(
        home=home,
        settings=Settings(),
        bus=bus,
        store=Store(home, damaged),
        plugins=Plugins(),
        ports=Ports(salt=str(home)),
    )


class Ear:
    """Hears every event of a bus from now on."""

    def __init__(self, bus: Bus) -> None:
        self.heard: list[Event] = []
        self._news = anyio.Event()
        bus.listen(self._hear)

    def _hear(self, event: Event) -> None:
        self.heard.append(event)
        self._news.set()
        self._news = anyio.Event()

    def kinds(self, *kinds: str) -> list[Event]:
        """Return what was heard of these kinds."""
        return [event for event in self.heard if event["event"] in kinds]

    async def until(self, kind: str, **facts: object) -> Event:
        """Return the first event of a kind with these facts, once it was heard."""
        with anyio.fail_after(30):
            while True:
                for event in self.kinds(kind):
                    if facts.items() <= event.items():
                        return event
                await self._news.wait()


def write(folder: Path, config: str, name: str = "shop") -> Path:
    """Write the taskmux.toml of `folder`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "taskmux.toml"
    path.write_text(f'name = "{name}"\n{config}')
    return path


@contextmanager
def no_more_files() -> Iterator[None]:
    """Have no descriptor left within the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Survivor:
    """A process that ignores every polite signal, in a session of its own."""

    def __init__(self, run_id: str) -> None:
        script = "trap '' HUP INT TERM; echo up; while :; do sleep 0.05; done"
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", script],
            env={"PATH": os.environ["PATH"], MARKER: run_id},
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"up\n"
        row = native.look(self.process.pid)
        assert row is not None
        self.child = Child(row.pid, row.started, boot_id(), run_id)

    def end(self) -> int:
        self.process.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.wait()
