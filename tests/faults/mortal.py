"""A daemon that dies at a chosen point of a day's work, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taskmux import paths, wire
from taskmux.client import Client
from taskmux.errors import DaemonNotRunning
from tests.e2e.site import Site, pids

SCRIPT = Path(__file__).with_name("failpoints.py")

DEAF = "trap '' HUP"
"""Its task outlives the daemon, whose end hangs up every terminal."""

TABLES = f"""
[tasks.db]
command = "{DEAF}; setsid sleep 1001 & exec sleep 1002"
[tasks.web]
command = "{DEAF}; exec sleep 1003"
depends_on = ["db"]
[tasks.once]
command = "true"
type = "oneshot"
[tasks.hooked]
command = "{DEAF}; exec sleep 1004"
hooks = {{ before_start = "true" }}
"""

LATER = f"""{TABLES.replace("1003", "1005")}
[tasks.late]
command = "{DEAF}; exec sleep 1006"
"""

SLEEPERS = {
    "db": (1001, 1002), "web": (1003,), "hooked": (1004,), "late": (1006,), "extra": (1007,),
}  # fmt: skip
"""By task, what its processes sleep: of each there is one, or none."""


@dataclass
class Model:
    """What each task may be now: of a command under way, as before it or as after it."""

    tasks: dict[str, set[str | None]] = field(default_factory=dict)

    def expect(self, makes: dict[str, str | None], *, surely: bool) -> None:
        for name, state in makes.items():
            new = name in {"extra", "late"}
            before = self.tasks.get(name, {None} if new else {"stopped"})
            self.tasks[name] = {state} if surely else before | {state}


Step = tuple[Callable[[Client, str], object], dict[str, str | None]]


def start(*names: str) -> Callable[[Client, str], object]:
    environ = {"PATH": os.environ["PATH"]}
    return lambda client, config: client.start(
        wire.StartTasks(config=config, tasks=names, environ=environ)
    )


def reload(client: Client, config: str) -> object:
    Path(config).write_text(f'name = "shop"\n{LATER}')
    return client.reload(wire.Reload(config=config, apply=True))


DAY: tuple[Step, ...] = (
    (start("web"), {"db": "running", "web": "running"}),
    (start("once", "hooked"), {"once": "completed", "hooked": "running"}),
    (
        lambda client, config: client.restart(wire.RestartTasks(config=config, task="web")),
        {"web": "running"},
    ),
    (
        lambda client, config: client.stop(wire.StopTasks(config=config, task="hooked")),
        {"hooked": "stopped"},
    ),
    (
        lambda client, config: client.add(
            wire.Add(config=config, task="extra", command=f"{DEAF}; exec sleep 1007")
        ),
        {"extra": "stopped"},
    ),
    (start("extra"), {"extra": "running"}),
    (
        lambda client, config: client.remove(wire.Remove(config=config, task="extra")),
        {"extra": None},
    ),
    (reload, {"web": "running", "late": "stopped"}),
    (start("late"), {"late": "running"}),
    (
        lambda client, config: client.kill(wire.Kill(config=config, task="db")),
        {"db": "stopped"},
    ),
    (
        lambda client, config: client.shutdown(wire.Shutdown()),
        {"web": "stopped", "late": "stopped", "once": "stopped"},
    ),
)


class Mortal:
    """A daemon in the hands of fate."""

    def __init__(self, site: Site, point: str) -> None:
        self._life, lifeline = os.pipe()
        ready, told = os.pipe()
        try:
            self._child = subprocess.Popen(
                [sys.executable, str(SCRIPT), "--ready-fd", str(told)],
                env=site.environ | {"DIE_AT": point, "LIFELINE": str(lifeline)},
                pass_fds=(told, lifeline),
                start_new_session=True,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=(log := (site.home / "daemon.log").open("ab")),
                stderr=log,
            )
        finally:
            log.close()
            os.close(lifeline)
            os.close(told)
        with os.fdopen(ready, "rb") as pipe:
            self.ready = pipe.readline() == b"ready\n"
        self._child.wait()

    def end(self) -> bool:
        """Wait for its end; return whether it was the one that was chosen."""
        with os.fdopen(self._life, "rb") as life:
            return life.read() == b"x"


def work(site: Site, model: Model) -> None:
    """Do the day's work until it is done, or nobody answers any more."""
    client, config = Client(paths.door(site.home)), str(site.folder / "taskmux.toml")
    for ask, makes in DAY:
        model.expect(makes, surely=False)
        try:
            ask(client, config)
        except DaemonNotRunning:
            return
        model.expect(makes, surely=True)


def asleep(folder: Path) -> list[int]:
    """Return what the processes in `folder` sleep, each of them."""
    found = []
    for pid in pids():
        try:
            if Path(f"/proc/{pid}/cwd").readlink() == folder:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                found += [int(words[1])] if words[0] == b"sleep" else []
        except OSError:
            continue
    return sorted(found)


def await_asleep(folder: Path, *expected: int) -> None:
    """See that just these sleep in `folder`, once each has come to that."""
    until = time.monotonic() + 20
    while (there := asleep(folder)) != sorted(expected) and time.monotonic() < until:
        time.sleep(
            0.1
        )  # no event tells: a task is up a moment before its shell has become what it is to be
    assert there == sorted(expected)


def prove(site: Site, model: Model) -> None:
    """Start the next daemon, and see that every promise is kept."""
    site.ask("daemon", "start")
    for name, row in site.tasks().items():
        if row["state"] not in {"stopped", "completed"}:
            site.ask("wait", name, "--timeout", "30")
    states = {name: row["state"] for name, row in site.tasks().items()}
    for name, allowed in model.tasks.items():
        assert states.get(name) in allowed, (name, states, model)
    sleepers = SLEEPERS | {"web": (web_of(site),)}
    ran = [name for name, state in states.items() if state == "running"]
    await_asleep(site.folder, *(number for name in ran for number in sleepers[name]))
    whole(site)


def web_of(site: Site) -> int:
    """Return what `web` sleeps, as its table is now."""
    return 1003 if "1003" in (site.folder / "taskmux.toml").read_text() else 1005


def whole(site: Site) -> None:
    """See that no state file was ever found damaged, or left half made."""
    assert [path for path in site.home.rglob("*") if "corrupt" in path.name] == []
    assert list(site.home.rglob(".*")) == []
    for state in [*site.home.glob("*.json"), *site.home.rglob("state.json")]:
        assert json.loads(state.read_text())
    seqs = [event["seq"] for event in events(site.home)]
    assert seqs == sorted(set(seqs))


def events(home: Path) -> Iterator[dict[str, int]]:
    torn = 0
    for line in (home / "events.jsonl").read_bytes().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            torn += 1
    assert torn <= 1
