from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio

from taskmux.bus import Bus
from taskmux.daemon.relay import relayed
from taskmux.hookspecs import hookimpl
from taskmux.plugins import Plugins


@dataclass
class Found:
    name: str
    plugin: ModuleType

    def load(self) -> Any:
        return self.plugin


def listening(name: str, hear: Callable[[dict[str, Any]], None]) -> Found:
    def taskmux_event(event: dict[str, Any]) -> None:
        hear(event)

    module = ModuleType(name)
    vars(module)["taskmux_event"] = hookimpl(taskmux_event)
    return Found(name, module)


def fail(event: dict[str, Any]) -> None:
    raise RuntimeError("no thanks")


async def test_plugins_hear_of_everything_and_their_failures_are_told(home: Path) -> None:
    heard: list[str] = []
    good = listening("good", lambda event: heard.append(event["event"]))
    bus, plugins = Bus(home / "events.jsonl"), Plugins([good, listening("bad", fail)])
    told = anyio.Event()
    bus.listen(lambda event: told.set() if event["event"] == "plugin_failed" else None)
    with anyio.fail_after(20):
        async with relayed(bus, plugins):
            bus.publish("task_ready", "shop", task="api")
            await told.wait()
            bus.publish("task_stopped", "shop", task="api")
    assert heard == ["task_ready", "plugin_failed", "task_stopped"]


async def test_without_a_listener_nothing_is_kept(home: Path) -> None:
    bus = Bus(home / "events.jsonl")
    async with relayed(bus, Plugins([])):
        bus.publish("task_ready")
