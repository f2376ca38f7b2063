from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taskmux.api.reception import Listening
from taskmux.bus import CarriedBus
from taskmux.daemon.carried import (
    FORMAT,
    CarriedDaemon,
    CarriedDoors,
    CarriedWebSocket,
    decode,
    encode,
    fetch,
    put_away,
)
from taskmux.daemon.listeners import Listener
from taskmux.lifecycle import State, Task
from taskmux.logs import Unfinished
from taskmux.processes import Trace
from taskmux.projects import CarriedProjects
from taskmux.runner import Carried, CarriedLife, Ending, Health, Outfit
from taskmux.store import Child, Memory, ProjectMemory
from taskmux.supervisor import CarriedProject
from taskmux.supervisor.carried import CarriedMember, Origin

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def daemon(terminal: int, lock: int, unix: int) -> CarriedDaemon:
    """Return one that uses every field there is."""
    outfit = Outfit({"PATH": "/bin", "NAME": os.fsdecode(b"\xff")}, 20001, 3, "run")
    runner = Carried(
        task=Task(state=State.RUNNING, wanted=True, alive=True, epoch=4),
        life=CarriedLife(17, terminal, outfit, NOW, True),
        unfinished=Unfinished(b"half a \xff line", True, 3, "disk full", 5),
        health=Health(True, "tcp", "port 20001 accepts connections", "now"),
        status=-15,
        ending=Ending("SIGTERM", (4, 5)),
        retry=1.5,
    )
    memory = Memory(state="running", wanted=True, run=3, child=Child(17, 1, "boot", "run"))
    member = CarriedMember(runner, {"auto_restart": 2}, Origin("[tasks.api]", "/shop"))
    project = CarriedProject(
        "[tasks.api]", ProjectMemory({"api": memory}, {"key": {"A": "b"}}), {"api": member}
    )
    websocket = CarriedWebSocket(Listening(8765, (unix,)), "secret")
    doors = CarriedDoors(Listening(0, (unix,)), websocket)
    projects = CarriedProjects({"shop": "/shop/taskmux.toml"}, {"shop": project})
    bus = CarriedBus(7, 2, 1, "disk full", (b'{"seq":7}\n',))
    shells, listeners = [Trace("other", 3, 4)], (Listener("https", unix),)
    return CarriedDaemon(lock, doors, 8765, 1024, 0o022, shells, projects, bus, listeners)


def test_what_is_put_away_comes_back_as_it_was() -> None:
    ends = socket.socketpair()
    with ends[0], ends[1], Path(os.devnull).open() as lock:
        carried = daemon(ends[0].fileno(), lock.fileno(), ends[1].fileno())
        for descriptor in carried.descriptors():
            os.set_inheritable(descriptor, True)
        handle = put_away(encode(carried))
        assert os.get_inheritable(handle)
        assert fetch(handle) == carried
        assert not any(os.get_inheritable(one) for one in carried.descriptors())
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(handle)


def test_every_descriptor_is_named() -> None:
    assert sorted(daemon(7, 8, 9).descriptors()) == [7, 8, 9, 9, 9]


def test_an_older_daemon_has_no_listeners() -> None:
    older = json.loads(encode(daemon(7, 8, 9)))
    del older["listeners"]
    assert decode(json.dumps(older).encode()).listeners == ()


def test_another_format_is_refused() -> None:
    other = encode(daemon(7, 8, 9)).replace(b'"format": %d' % FORMAT, b'"format": 999')
    with pytest.raises(ValueError, match="format 999"):
        decode(other)
