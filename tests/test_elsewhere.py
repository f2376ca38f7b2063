from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
from anyio import to_thread

from taskmux.contracts import HealthProbe, Probe, ProbeResult, ProbeTarget, TaskFacts
from taskmux.hookspecs import hookimpl
from taskmux.plugins import Plugins
from taskmux.plugins.elsewhere import Elsewhere
from taskmux.testing import probe_target

TASK = TaskFacts("worker", health_probe="odd")


class Odd:
    """A probe that says where it was asked, and what it saw from there."""

    name = "odd"
    summary = "Say where it was asked."
    rank = 50

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Event()

    def applies(self, task: TaskFacts) -> bool:
        return False

    def prepare(self, target: ProbeTarget) -> Probe:
        prepared_in = threading.get_ident()

        async def ask() -> ProbeResult:
            command = target.task.health_options.get("command", "echo well")
            if command == "block":
                self.gate.wait()
            self.begun.set()
            run = await target.run(command)
            ports = await target.listening()
            here = prepared_in == threading.get_ident()
            return ProbeResult(run.status == 0, f"{run.tail.strip()} {list(ports)} {here}")

        return ask


@dataclass
class Found:
    name: str
    plugin: ModuleType

    def load(self) -> Any:
        return self.plugin


def installed(probe: HealthProbe) -> Plugins:
    def taskmux_health_probes() -> Iterable[HealthProbe]:
        return [probe]

    module = ModuleType("odd")
    vars(module)["taskmux_health_probes"] = hookimpl(taskmux_health_probes)
    return Plugins([Found("odd", module)])


async def test_a_probe_of_others_is_asked_elsewhere_and_sees_what_it_would_here(
    tmp_path: Path,
) -> None:
    main, elsewhere, odd = threading.get_ident(), Elsewhere(), Odd()
    seen: list[int] = []

    async def listening() -> list[int]:
        seen.append(threading.get_ident())
        return [80]

    plugins = installed(odd)
    kept = elsewhere.keep(plugins.probes["odd"], plugins)
    assert kept == elsewhere.keep(plugins.probes["odd"], plugins)  # or each reload were a change
    ask = kept.prepare(probe_target(TASK, tmp_path, listening=listening))
    try:
        for _ in range(2):
            assert await ask() == ProbeResult(ok=True, detail="well [80] True")
        assert seen == [main, main]
    finally:
        await elsewhere.end()


async def test_a_probe_that_blocks_holds_up_nobody_but_those_of_its_plugin(tmp_path: Path) -> None:
    elsewhere, odd = Elsewhere(), Odd()
    plugins = installed(odd)
    blocking = TaskFacts("worker", health_options={"command": "block"})
    ask = elsewhere.keep(plugins.probes["odd"], plugins).prepare(probe_target(blocking, tmp_path))
    try:
        with anyio.move_on_after(0.2) as scope:
            await ask()
        assert scope.cancelled_caught
    finally:
        odd.gate.set()
        await elsewhere.end()


async def test_a_command_of_a_question_that_is_given_up_ends(tmp_path: Path) -> None:
    elsewhere, plugins = Elsewhere(), installed(Odd())
    os.mkfifo(tmp_path / "told")
    endless = TaskFacts("worker", health_options={"command": "exec >told; echo up; sleep 1000"})
    ask = elsewhere.keep(plugins.probes["odd"], plugins).prepare(probe_target(endless, tmp_path))

    async def asking() -> None:
        await ask()

    try:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(asking)
                told = await to_thread.run_sync((tmp_path / "told").open)
                assert await to_thread.run_sync(told.readline) == "up\n"
                group.cancel_scope.cancel()
            with told:  # ends when nobody is left who could write to it
                assert await to_thread.run_sync(told.read) == ""
    finally:
        await elsewhere.end()


def test_probes_of_ours_are_asked_here() -> None:
    plugins = Plugins()
    alive = plugins.probes["alive"]
    assert Elsewhere().keep(alive, plugins) is alive
