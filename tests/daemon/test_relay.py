from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

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


async def test_one_that_hangs_holds_up_no_other_and_is_told_of_no_more(home: Path) -> None:
    heard: list[str] = []
    begun: list[str] = []
    gate, told, gone = threading.Event(), anyio.Event(), anyio.Event()

    def hang(event: dict[str, Any]) -> None:
        begun.append(event["event"])
        gate.wait()

    def hear(event: dict[str, Any]) -> None:
        heard.append(event["event"])
        if event["event"] == "last":
            anyio.from_thread.run_sync(told.set, token=token)

    bus = Bus(home / "events.jsonl")
    token = anyio.lowlevel.current_token()
    plugins = Plugins([listening("hangs", hang), listening("hears", hear)])
    failed: list[dict[str, Any]] = []

    def note(event: dict[str, Any]) -> None:
        if event["event"] == "plugin_failed":
            failed.append(event)
            gone.set()

    bus.listen(note)
    try:
        with anyio.fail_after(20):
            async with relayed(bus, plugins, limit=0.3):
                bus.publish("first")
                await gone.wait()
                bus.publish("last")
                await told.wait()
    finally:
        gate.set()
    assert heard == ["first", "plugin_failed", "last"]
    assert begun == ["first"]
    assert [one["reason"] for one in failed] == [
        "hangs could not take note of an event: no answer within 0.3 s"
    ]


async def test_a_plugin_that_hears_too_slowly_is_told_how_much_it_missed(home: Path) -> None:
    heard: list[dict[str, Any]] = []
    begun, gate, lost = threading.Event(), threading.Event(), anyio.Event()

    def hear(event: dict[str, Any]) -> None:
        heard.append(event)
        begun.set()
        gate.wait(30)

    bus = Bus(home / "events.jsonl")
    bus.listen(lambda event: lost.set() if event.get("kind") == "events_lost" else None)
    counted: list[int] = []
    bus.listen(lambda event: counted.append(event["count"]) if "count" in event else None)
    with anyio.fail_after(20):
        async with relayed(bus, Plugins([listening("slow", hear)])):
            bus.publish("tick")
            await anyio.to_thread.run_sync(begun.wait, 30)
            for _ in range(1500):
                bus.publish("tick")
            gate.set()
            await lost.wait()
    assert {event["event"] for event in heard} == {"tick"}
    assert len(heard) + counted[0] == 1501


async def test_a_plugin_is_not_told_of_its_own_failures(home: Path) -> None:
    heard: list[str] = []
    bus = Bus(home / "events.jsonl")
    plugins = Plugins([listening("x", lambda event: heard.append(event["event"]))])
    with anyio.fail_after(20):
        async with relayed(bus, plugins, patience=30):
            bus.publish("plugin_failed", plugin="x")
            bus.publish("tick")
    assert heard == ["tick"]


async def test_what_one_does_with_an_event_changes_it_for_no_other(home: Path) -> None:
    heard: list[str] = []

    def spoil(event: dict[str, Any]) -> None:
        event.clear()
        raise SystemExit

    bus = Bus(home / "events.jsonl")
    plugins = Plugins(
        [listening("spoils", spoil), listening("hears", lambda event: heard.append(event["event"]))]
    )
    with anyio.fail_after(20):
        async with relayed(bus, plugins, patience=30):
            bus.publish("tick")
            bus.publish("tick")
    assert heard[:2] == ["tick", "tick"]
    assert str(plugins.broken["spoils"]).endswith("take note of an event: SystemExit")


async def test_a_plugin_that_is_slow_does_not_keep_the_daemon_from_ending(home: Path) -> None:
    heard: list[int] = []
    hearing, gate = threading.Event(), threading.Event()

    def hear(event: dict[str, Any]) -> None:
        heard.append(event["seq"])
        hearing.set()
        gate.wait(30)

    async def release() -> None:
        await anyio.wait_all_tasks_blocked()
        gate.set()

    bus, plugins = Bus(home / "events.jsonl"), Plugins([listening("slow", hear)])
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group, relayed(bus, plugins, patience=0):
            for _ in range(5):
                bus.publish("tick")
            await anyio.to_thread.run_sync(hearing.wait, 30)
            group.start_soon(release)
    assert heard == [1]


async def test_what_was_not_heard_yet_at_the_end_still_is_by_a_plugin_that_is_quick(
    home: Path,
) -> None:
    heard: list[int] = []
    bus = Bus(home / "events.jsonl")
    plugins = Plugins([listening("quick", lambda event: heard.append(event["seq"]))])
    async with relayed(bus, plugins, patience=30):
        for _ in range(5):
            bus.publish("tick")
    assert heard == [1, 2, 3, 4, 5]


async def test_without_a_listener_nothing_is_kept(home: Path) -> None:
    bus = Bus(home / "events.jsonl")
    async with relayed(bus, Plugins([])):
        bus.publish("task_ready")
