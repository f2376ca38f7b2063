from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import asynccontextmanager
from inspect import getdoc
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import pytest

from taskmux import hookspecs
from taskmux.contracts import (
    Check,
    CommandContext,
    ProbeTarget,
    TaskFacts,
    TunnelRoute,
    TunnelSetting,
    TunnelState,
)
from taskmux.plugins import Plugins
from taskmux.testing import (
    ContextWriterContract,
    HealthProbeContract,
    HostResolverContract,
    TunnelBackendContract,
    probe_target,
)


class Example:
    """The plugin in a hook's docstring, as if installed."""

    name = "example"

    def __init__(self, hook: str) -> None:
        self.hook = hook

    def load(self) -> ModuleType:
        return example(self.hook)


def example(hook: str) -> ModuleType:
    spec: FunctionType = getattr(hookspecs, hook)
    [code] = re.findall(r"```python\n(.*)```", getdoc(spec) or "", re.DOTALL)
    module = ModuleType("example")
    exec(compile(code, hook, "exec", dont_inherit=True), vars(module))
    return module


HOOKS = [name for name in vars(hookspecs) if name.startswith("taskmux_")]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_shows_an_example_that_runs(hook: str) -> None:
    plugins = Plugins([Example(hook)])
    offers = plugins.offers("example")
    assert plugins.broken == {}
    assert offers or plugins.listeners
    assert hook in hookspecs.__all__


def test_the_example_command_runs(tmp_path: Path) -> None:
    [(name, factory)] = example("taskmux_commands").taskmux_commands()
    answers = []
    context = CommandContext({}, {}, tmp_path, lambda *answer: answers.append(answer))
    factory()(["--name", "world"], standalone_mode=False, obj=context)
    assert (name, answers) == ("hello", [({"greeted": "world"}, "hello, world")])


def test_the_example_listener_listens(caplog: pytest.LogCaptureFixture) -> None:
    plugins = Plugins([Example("taskmux_event")])
    event = {"event": "task_failed", "task": "api", "reason": "exited with 1"}
    plugins.listeners["example"](event)
    assert caplog.messages == ["api failed: exited with 1"]


class TestExampleResolver(HostResolverContract):
    def make(self, folder: Path) -> Any:
        self.names = folder / "names"
        return example("taskmux_host_resolvers").Listing()

    def lookup(self) -> dict[str, str]:
        lines = self.names.read_text().splitlines() if self.names.exists() else []
        return dict(line.split(" ") for line in lines)


class TestExampleProbe(HealthProbeContract):
    def make(self) -> Any:
        return example("taskmux_health_probes").FileProbe()

    def life(self, folder: Path, path: str) -> ProbeTarget:
        options = {"path": path}
        return probe_target(TaskFacts("x", health_probe="file", health_options=options), folder)

    @asynccontextmanager
    async def well(self, folder: Path) -> Any:
        (folder / "there").touch()
        yield self.life(folder, "there")

    @asynccontextmanager
    async def unwell(self, folder: Path) -> Any:
        yield self.life(folder, "missing")


class TestExampleWriter(ContextWriterContract):
    def make(self) -> Any:
        return example("taskmux_context_writers").Plain()


class Cloud:
    """A tunnel backend that keeps, outside itself, what it made reachable."""

    name = "cloud"
    summary = "…"
    settings = (TunnelSetting("zone", "Zone"), TunnelSetting("key", "Key", secret=True))

    def __init__(self) -> None:
        self.routes: list[TunnelRoute] = []

    async def choices(self, setting: str, known: Mapping[str, str]) -> list[tuple[str, str]]:
        return [("z1", "example.org")] if setting == "zone" else []

    async def check(self, settings: Mapping[str, Any], routes: object) -> list[Check]:
        missing = [s.name for s in self.settings if s.name not in settings]
        return [Check(name, False, f"no {name}", f"set {name}") for name in missing]

    async def setup(self, settings: Mapping[str, Any], routes: object) -> None:
        pass

    @asynccontextmanager
    async def open(self, context: object) -> Any:
        try:
            yield self
        finally:
            self.routes.clear()

    async def publish(self, routes: list[TunnelRoute]) -> None:
        self.routes[:] = routes

    def status(self) -> list[TunnelState]:
        return [TunnelState(route.task, None, True, "up") for route in self.routes]


class TestCloud(TunnelBackendContract):
    def make(self, folder: Path) -> Any:
        self.cloud = Cloud()
        return self.cloud

    def settings(self) -> Mapping[str, Any]:
        return {"zone": "z1", "key": "k"}

    def reached(self) -> set[str]:
        return {route.task for route in self.cloud.routes}


async def test_the_example_tunnel_opens(tmp_path: Path) -> None:
    [backend] = example("taskmux_tunnel_backends").taskmux_tunnel_backends()
    route = TunnelRoute("shop", "api", None, "https://api.shop.localhost")
    async with backend.open(SimpleNamespace(settings={"domain": "example.org"})) as tunnel:
        await tunnel.publish([route])
        [state] = tunnel.status()
    assert state.public_url == "https://api.example.org"
    assert [check.fix for check in await backend.check({}, [])] != [None]
