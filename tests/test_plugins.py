from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import anyio
import msgspec
import pytest

from taskmux.contracts import (
    HealthProbe,
    ProbeTarget,
    TaskFacts,
)
from taskmux.errors import NobodyOffers, PluginFailed
from taskmux.hookspecs import hookimpl
from taskmux.plugins import Offer, Plugins, called, choose_probe, describe, guarded


@dataclass
class Found:
    """An entry point, as if installed."""

    name: str
    plugin: Any

    def load(self) -> Any:
        if isinstance(self.plugin, BaseException):
            raise self.plugin
        if isinstance(self.plugin, threading.Event):
            self.plugin.wait()
        return self.plugin


def plugin(**hooks: object) -> ModuleType:
    module = ModuleType("plugin")
    for name, hook in hooks.items():
        setattr(module, name, hookimpl(hook))  # type: ignore[call-overload]
    return module


def resolver(name: str, **others: object) -> SimpleNamespace:
    whole = {"summary": "…", "prepare_as_root": print, "open": print} | others
    return SimpleNamespace(name=name, **{k: v for k, v in whole.items() if v is not None})


def offering(*offers: object) -> ModuleType:
    return plugin(taskmux_host_resolvers=lambda: offers)


def raises() -> Iterator[object]:
    yield resolver("early")
    raise ZeroDivisionError


def endless() -> Iterator[object]:
    while True:
        yield resolver("again")


def exits() -> Iterator[object]:
    raise SystemExit(3)


@hookimpl(wrapper=True)
def wraps() -> Iterator[object]:
    yield ()


WRAPPER = ModuleType("wrapper")
WRAPPER.taskmux_host_resolvers = wraps  # type: ignore[attr-defined]


def test_ours_are_found_by_entry_point() -> None:
    plugins = Plugins()
    assert {"health_url", "health_check", "tcp", "alive"} <= set(plugins.probes)
    assert plugins.found["probes"].distribution == "taskmux"
    assert "probes" not in plugins.broken


def test_a_disabled_plugin_is_not_even_imported() -> None:
    plugins = Plugins([Found("off", SystemExit(1)), Found("on", offering())], disabled=["off"])
    assert plugins.broken == {}
    assert [(one.name, one.enabled) for one in plugins.found.values()] == [
        ("off", False),
        ("on", True),
    ]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (ImportError("no module named x"), "be imported: no module named x"),
        (SyntaxError("bad"), "be imported: SyntaxError: bad"),
        (SystemExit(1), "be imported: SystemExit: 1"),
        (GeneratorExit(), "be imported: GeneratorExit"),
        (KeyboardInterrupt(), "be imported: KeyboardInterrupt"),
        (plugin(misspelt=lambda: ()), "be used: unknown hook 'misspelt'"),
        (plugin(taskmux_host_resolvers=lambda wish: ()), "be used: "),
        (ModuleType("bare"), "be used: none of its functions is marked as a hook"),
        (None, "be used: none of its functions is marked as a hook"),
        (WRAPPER, "be used: it wraps a hook"),
        (offering(resolver("good")), "offer its host resolvers: 'good' is offered already"),
        (offering(resolver("twice"), resolver("twice")), "'twice' is offered already"),
        (plugin(taskmux_host_resolvers=lambda: 3), "TypeError: 'int' object is not iterable"),
        (plugin(taskmux_host_resolvers=raises), "offer its host resolvers: ZeroDivisionError"),
        (plugin(taskmux_host_resolvers=exits), "offer its host resolvers: SystemExit: 3"),
        (plugin(taskmux_host_resolvers=endless), "'again' is offered already"),
        (offering(3), "3 has no name"),
        (offering(resolver("x", open=None)), "'x' has no open"),
        (offering(resolver("x", open=3)), "'x' has open, but not as a function"),
        (offering(resolver("x", summary=3)), "'x' has summary, but not as str"),
        (
            offering(resolver("two words")),
            "'two words' is not a name: it must be one word",
        ),
        (offering(resolver("")), "'' is not a name"),
        (offering(resolver("\x1b")), "is not a name"),
    ],
)
def test_one_broken_plugin_costs_only_itself(bad: object, why: str) -> None:
    good = resolver("good")
    plugins = Plugins([Found("good", offering(good)), Found("bad", bad)])
    assert plugins.resolvers == {"good": good}
    assert set(plugins.broken) == {"bad"}
    assert str(plugins.broken["bad"]).startswith("bad could not ")
    assert why in str(plugins.broken["bad"])


def test_ctrl_c_is_nobodys_failure() -> None:
    gate = threading.Event()

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        gate.wait()

    with pytest.raises(KeyboardInterrupt):
        called("x", "load", work)
    gate.set()


def test_a_plugin_is_loaded_once() -> None:
    one, other = offering(resolver("x")), offering(resolver("y"))
    plugins = Plugins([Found("a", one), Found("a", other), Found("b", one)])
    assert set(plugins.resolvers) == {"x"}
    assert set(plugins.broken) == {"a", "b"}
    assert "there is a plugin of that name in another, which is used" in str(plugins.broken["a"])


def test_one_that_hangs_over_a_hook_is_asked_for_nothing_else() -> None:
    asked: list[str] = []
    gate = threading.Event()

    def hang() -> object:
        asked.append("resolvers")
        return gate.wait()

    bad = plugin(taskmux_host_resolvers=hang, taskmux_commands=lambda: asked.append("commands"))
    plugins = Plugins([Found("bad", bad)], limit=0.05)
    assert plugins.offers("bad") == []
    assert asked == ["resolvers"]
    gate.set()


@pytest.mark.parametrize("said", ["\udce9", "x" * 100_000, "two\nlines"])
def test_whatever_a_plugin_says_of_itself_can_be_shown(said: str) -> None:
    trouble = RuntimeError(said)
    trouble.add_note(said)
    installed = [
        Found("good", offering(resolver("x", summary=said))),
        Found("bad", trouble),
    ]
    report = describe(Plugins(installed))
    [good, bad] = report.plugins
    assert 0 < len(good.offers[0].summary) <= 1000
    assert 0 < len(bad.reason or "") <= 1100
    assert len(msgspec.json.encode(report)) < 10_000


def test_a_note_that_is_no_text_is_no_hint() -> None:
    trouble = RuntimeError("broken")
    trouble.__notes__ = 3  # type: ignore[assignment]
    assert Plugins([Found("bad", trouble)]).broken["bad"].hint is None


@pytest.mark.parametrize("name", ["two words", "../up", "", "a,b", "x" * 65])
def test_a_plugin_s_name_can_be_written_in_a_table(name: str) -> None:
    plugins = Plugins([Found(name, SystemExit("imported"))])
    assert f"{name!r} is not a name" in str(plugins.broken[name])


def test_what_is_disabled_or_broken_may_be_what_is_missing() -> None:
    sources = [Found("off", offering()), Found("bad", ImportError("x")), Found("on", offering())]
    plugins = Plugins(sources, disabled=["off"])
    with pytest.raises(NobodyOffers) as caught:
        plugins.probe_for(TaskFacts("web", health_probe="queue"))
    assert (caught.value.hint or "").endswith("see `taskmux plugins`: bad, off")


@pytest.mark.parametrize("offer", [("x",), ("x", 3), "x", ("x y", print), ("x", print, print)])
def test_a_command_is_a_name_and_a_factory(offer: object) -> None:
    bad = plugin(taskmux_commands=lambda: [offer])
    good = plugin(taskmux_commands=lambda: [("hello", print)])
    plugins = Plugins([Found("bad", bad), Found("good", good)])
    assert plugins.commands == {"hello": print}
    assert set(plugins.broken) == {"bad"}


def test_says_who_offers_what() -> None:
    both = plugin(
        taskmux_host_resolvers=lambda: [resolver("x", summary="Do x.")],
        taskmux_commands=lambda: [("hello", print)],
    )
    plugins = Plugins([Found("both", both), Found("other", offering(resolver("y")))])
    [x, hello] = plugins.offers("both")
    assert (x.kind, x.name, x.summary) == ("host resolver", "x", "Do x.")
    assert hello == Offer("both", "command", "hello", "", print)


def test_what_hangs_is_left_behind() -> None:
    gate = threading.Event()
    with pytest.raises(PluginFailed, match=r"x could not load: no answer within 0\.01 s"):
        called("x", "load", gate.wait, limit=0.01)
    gate.set()


async def test_a_plugin_that_raises_is_reported_with_its_note() -> None:
    trouble = RuntimeError("no room")
    trouble.add_note("make some")
    with pytest.raises(PluginFailed, match="x could not publish names: no room") as caught:
        async with guarded("x", "publish names"):
            raise trouble
    assert caught.value.hint == "make some"


async def test_a_plugin_that_hangs_is_given_up() -> None:
    with pytest.raises(PluginFailed, match=r"no answer within 0\.01 s"):
        async with guarded("x", "publish names", limit=0.01):
            await anyio.sleep_forever()


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (KeyError("port"), "KeyError: 'port'"),
        (TimeoutError("the server is slow"), "the server is slow"),
        (SystemExit("bye"), "SystemExit: bye"),
        (ExceptionGroup("unhandled", [ValueError("the cause")]), "the cause"),
        (RuntimeError(), "RuntimeError"),
        (RuntimeError("no file caf\udce9"), "no file caf?"),
    ],
)
async def test_a_failure_is_told_in_words(trouble: BaseException, why: str) -> None:
    with pytest.raises(PluginFailed) as caught:
        async with guarded("x", "y"):
            raise trouble
    assert str(caught.value) == f"x could not y: {why}"


async def test_whoever_cancels_from_outside_is_let_through() -> None:
    with anyio.CancelScope() as scope:
        async with guarded("x", "publish names"):
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught


# Probes


class Fixed:
    summary = "…"

    def __init__(self, name: str, rank: int, answer: object) -> None:
        self.name, self.rank, self.answer = name, rank, answer

    def applies(self, task: TaskFacts) -> bool:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return bool(self.answer)

    def prepare(self, target: ProbeTarget) -> Any:
        raise NotImplementedError


def probes(*offers: Fixed) -> Mapping[str, HealthProbe]:
    return {offer.name: offer for offer in offers}


WEB = TaskFacts("web")
LATE, EARLY, NEVER = Fixed("late", 90, True), Fixed("early", 10, True), Fixed("never", 1, False)


def test_the_applicable_probe_of_lowest_rank_is_asked() -> None:
    assert choose_probe(probes(LATE, EARLY, NEVER), WEB) is EARLY


def test_a_probe_that_is_named_is_asked_whatever_applies() -> None:
    task = TaskFacts("web", health_probe="never")
    assert choose_probe(probes(LATE, EARLY, NEVER), task) is NEVER


def test_a_probe_nobody_offers_is_an_error_that_knows_better() -> None:
    with pytest.raises(NobodyOffers, match="no plugin offers the health probe 'erly'") as caught:
        choose_probe(probes(LATE, EARLY), TaskFacts("web", health_probe="erly"))
    assert caught.value.hint == "did you mean 'early'?"
    with pytest.raises(NobodyOffers):
        choose_probe({}, WEB)


def test_an_option_that_cannot_be_meant_comes_out_in_the_probes_words() -> None:
    picky = Fixed("picky", 50, ValueError("path is missing"))
    for task in (WEB, TaskFacts("web", health_probe="picky")):
        with pytest.raises(ValueError, match=r"^path is missing$"):
            Plugins([Found("p", plugin(taskmux_health_probes=lambda: [picky]))]).probe_for(task)


def test_a_rank_is_a_number() -> None:
    high = Fixed("high", "first", True)  # type: ignore[arg-type]
    plugins = Plugins([Found("p", plugin(taskmux_health_probes=lambda: [high]))])
    assert plugins.probes == {}
    assert "'high' has rank, but not as int" in str(plugins.broken["p"])


def test_a_probe_that_crashes_is_out_unless_it_is_named() -> None:
    crash = Fixed("crash", 1, ZeroDivisionError("oops"))
    sources = [
        Found("bad", plugin(taskmux_health_probes=lambda: [crash])),
        Found("good", plugin(taskmux_health_probes=lambda: [LATE])),
    ]
    plugins = Plugins(sources)
    with pytest.raises(PluginFailed, match="crash could not check the task's table"):
        plugins.probe_for(TaskFacts("web", health_probe="crash"))
    assert plugins.broken == {}
    assert plugins.probe_for(WEB) is LATE
    assert set(plugins.broken) == {"bad"}
    assert plugins.offers("bad") == []


# What it costs


def test_asking_for_writers_and_commands_loads_no_event_loop() -> None:
    program = (
        "import sys; from taskmux.plugins import Plugins; found = Plugins();"
        "found.writers, found.commands;"
        "heavy = {'anyio', 'asyncio', 'ssl', 'typer', 'rich'} & sys.modules.keys();"
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
