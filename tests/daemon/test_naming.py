from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

from taskmux import probes
from taskmux.contracts import HostRecord, PluginContext
from taskmux.daemon import lending, naming
from taskmux.daemon.naming import Naming
from taskmux.hookspecs import hookimpl
from taskmux.plugins import Plugins
from taskmux.projects import Projects
from taskmux.settings import Settings
from taskmux.store import Alias
from taskmux.supervisor import Services
from tests.projects.estate import Ear, make_services, write

API = '[tasks.api]\ncommand = "true"\nhost = "api"\n'
WEB = '[tasks.web]\ncommand = "true"\nhost = "@"\n[tasks.rest]\ncommand = "true"\nhost = "*"\n'


class Recorder:
    """A resolver that writes down what it is asked for, or fails in a way of its own."""

    name = "recorder"
    summary = "Write down what is asked for."

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.context: PluginContext | None = None
        self.told: queue.SimpleQueue[set[str]] = queue.SimpleQueue()
        self.release = threading.Event()
        self.crash: Callable[[], None] = self.release.set

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        pass

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[Recorder]:
        self.context = context
        if self.fault == "open":
            raise PermissionError("not allowed today")
        async with anyio.create_task_group() as group:
            if self.fault == "crash":
                group.start_soon(self._crash)
            yield None if self.fault == "nothing" else self  # type: ignore[misc]
            group.cancel_scope.cancel()
        self.told.put({"left"})

    async def publish(self, records: Sequence[HostRecord]) -> None:
        if self.fault == "block":
            self.release.wait()
        if self.fault == "exit":
            sys.exit(1)
        if self.fault == "refuse":
            error = PermissionError("new names need root")
            error.add_note("run `sudo taskmux daemon restart`")
            raise error
        self.told.put({f"{record.name} {record.address}" for record in records})

    async def _crash(self) -> None:
        await anyio.to_thread.run_sync(self.release.wait)
        raise RuntimeError("the socket is gone")


@dataclass
class Found:
    name: str
    plugin: ModuleType

    def load(self) -> Any:
        return self.plugin


def offering(*resolvers: Recorder) -> Plugins:
    def taskmux_host_resolvers() -> Iterable[Recorder]:
        return resolvers

    module = ModuleType("recording")
    vars(module)["taskmux_host_resolvers"] = hookimpl(taskmux_host_resolvers)
    return Plugins([Found("probes", probes), Found("recording", module)])


@asynccontextmanager
async def keeping(
    home: Path, recorder: Recorder, name: str = "recorder"
) -> AsyncIterator[tuple[Naming, Projects, Ear, Services]]:
    settings = Settings(host_resolver=name, dns_server_port=53, plugin={"recording": {"own": 1}})
    services = replace(make_services(home), plugins=offering(recorder), settings=settings)
    with anyio.fail_after(30):
        async with Projects.open(services) as projects:
            ear = Ear(services.bus)
            async with naming.naming(services, projects) as names:
                yield names, projects, ear, services


async def told(recorder: Recorder) -> set[str]:
    return await anyio.to_thread.run_sync(recorder.told.get, abandon_on_cancel=True)


def both(*names: str) -> set[str]:
    return {f"{name} {address}" for name in names for address in ("127.0.0.1", "::1")}


async def test_the_names_of_all_tasks_are_published_whenever_they_change(
    home: Path, tmp_path: Path
) -> None:
    recorder = Recorder()
    async with keeping(home, recorder) as (names, projects, _, _):
        path = write(tmp_path / "shop", API)
        await projects.register(path)
        assert await told(recorder) == both("api.shop.localhost")
        path.write_text(f'name = "shop"\n{API}{WEB}')
        assert await told(recorder) == both("api.shop.localhost", "shop.localhost")
        await projects.register(write(tmp_path / "blog", API, name="blog"))
        assert "api.blog.localhost ::1" in await told(recorder)
        await names.settle()
        assert names.published == ["api.blog.localhost", "api.shop.localhost", "shop.localhost"]
        await projects.unregister("shop")
        assert await told(recorder) == both("api.blog.localhost")
    assert await told(recorder) == {"left"}
    assert names.trouble is None


async def test_who_waits_hears_when_the_resolver_was_told(home: Path, tmp_path: Path) -> None:
    recorder = Recorder("block")
    async with keeping(home, recorder) as (names, projects, _, _):
        await projects.register(write(tmp_path / "shop", API))
        seen: list[Sequence[str]] = []

        async def wait() -> None:
            await names.settle()
            seen.append(names.published)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            recorder.release.set()
        assert seen == [["api.shop.localhost"]]
        await projects.unregister("shop")
        await names.settle()
        assert names.published == []


async def test_who_waits_hears_when_there_is_no_resolver(home: Path) -> None:
    async with keeping(home, Recorder(), "ghost") as (names, *_):
        await names.settle()
        assert names.trouble is not None


async def test_a_resolver_is_lent_what_it_needs(home: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    async with keeping(home, recorder) as (_, projects, _, _):
        await projects.register(write(tmp_path / "shop", API))
        await told(recorder)
    context = recorder.context
    assert context is not None
    assert (context.settings["dns_server_port"], context.settings["own"]) == (53, 1)
    assert context.state_dir.is_dir()
    assert context.state_dir.is_relative_to(home)
    assert context.log.name == "taskmux.plugin.recording"


@pytest.mark.parametrize(
    ("fault", "said", "hint"),
    [
        ("open", "recording could not open its host resolver: not allowed today", None),
        ("exit", "recording could not have names resolve: SystemExit: 1", None),
        (
            "nothing",
            "recording could not have names resolve: AttributeError: "
            "'NoneType' object has no attribute 'publish'",
            None,
        ),
        (
            "refuse",
            "recording could not have names resolve: new names need root",
            "run `sudo taskmux daemon restart`",
        ),
    ],
)
async def test_a_resolver_that_fails_costs_the_names_and_is_told_of_once(
    home: Path, tmp_path: Path, fault: str, said: str, hint: str | None
) -> None:
    async with keeping(home, Recorder(fault)) as (names, projects, ear, _):
        project, _ = await projects.register(write(tmp_path / "shop", API))
        failed = await ear.until("plugin_failed", plugin="recording")
        assert (failed["reason"], failed.get("hint")) == (said, hint)
        project.path.write_text(f'name = "shop"\n{API}{WEB}')
        await ear.until("config_reloaded")
        await project.opened().start(["api"])
        assert (str(names.trouble), names.published) == (said, ())
    assert [event["event"] for event in ear.heard].count("plugin_failed") == 1


async def test_a_resolver_that_crashes_is_told_of(home: Path, tmp_path: Path) -> None:
    recorder = Recorder("crash")
    async with keeping(home, recorder) as (names, projects, ear, _):
        await projects.register(write(tmp_path / "shop", API))
        await told(recorder)
        recorder.crash()
        failed = await ear.until("plugin_failed")
        assert failed["reason"] == "recording could not keep names resolving: the socket is gone"
        assert names.trouble is not None


async def test_a_resolver_that_blocks_its_thread_holds_up_nobody(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskmux.daemon.naming.LIMIT", 0.3)
    recorder = Recorder("block")
    try:
        async with keeping(home, recorder) as (_, projects, ear, _):
            project, _ = await projects.register(write(tmp_path / "shop", API))
            await project.opened().start(["api"])
            failed = await ear.until("plugin_failed")
            assert failed["reason"].endswith("no answer within 0.3 s")
    finally:
        recorder.release.set()


async def test_a_resolver_nobody_offers_is_told_with_those_there_are(
    home: Path, tmp_path: Path
) -> None:
    async with keeping(home, Recorder(), "recoder") as (names, _, ear, _):
        await ear.until("plugin_failed")
        assert names.trouble is not None
        assert names.trouble.hint == "did you mean 'recorder'?"


async def test_a_plugin_s_events_are_told_but_no_flood_of_them(home: Path) -> None:
    services = make_services(home)
    ear = Ear(services.bus)
    report = lending.reporter(services.bus, "p")
    report("synced", {"names": 3, "seq": -1, "event": "task_failed"})
    await anyio.to_thread.run_sync(report, "from a thread", {"big": "x" * 100_000})
    report("\udce9" * 9999, {3: ("text \udce9", object, {"kept": None})})  # type: ignore[dict-item]
    first, second, third = ear.heard
    assert len(third["kind"]) <= 1000
    assert third["3"] == ["text ?", str(object), {"kept": None}]
    assert (first["event"], first["plugin"], first["kind"]) == ("plugin_event", "p", "synced")
    assert (first["names"], first["seq"]) == (3, 1)
    assert (second["kind"], second["too_large"]) == ("from a thread", True)
    began = time.monotonic()
    for _ in range(10_000):
        report("again", {})
    most = 50 + 5 * (time.monotonic() - began) + 1
    assert len(ear.heard) <= 2 * most  # each may be preceded by how many were refused


async def test_the_names_of_aliases_resolve_as_those_of_tasks_do(
    home: Path, tmp_path: Path
) -> None:
    recorder = Recorder()
    async with keeping(home, recorder) as (_, projects, _, _):
        project, _ = await projects.register(write(tmp_path / "shop", ""))
        project.aliases.add("admin", Alias(port=8080, host="admin"), {})
        admin = {"admin.shop.localhost 127.0.0.1", "admin.shop.localhost ::1"}
        assert await told(recorder) == admin
        project.aliases.add("home", Alias(port=8081, host="@"), {})
        assert await told(recorder) == admin | {"shop.localhost 127.0.0.1", "shop.localhost ::1"}
        project.aliases.remove("home")
        assert await told(recorder) == admin
