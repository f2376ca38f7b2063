from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from time import monotonic
from typing import Any

import pytest

from taskmux import paths
from taskmux.client import Client
from taskmux.errors import Refused
from taskmux.wire import (
    ActionReport,
    ActionsReport,
    Kill,
    Reload,
    Report,
    RestartTasks,
    StartTasks,
    StopTasks,
)
from tests.e2e.site import Site, run_cli

CLIENTS = 20
EACH = 5

OBEDIENT = 'command = "exec sleep 1000"\n'
DEAF = """
command = "trap '' INT; echo up; while :; do sleep 0.05; done"
ready_log = "up"
stop_grace_period = 0.1
"""
HOOKED = """
command = "exec sleep 1000"
[tasks.a.hooks]
before_start = "sleep 0.02"
before_stop = "sleep 0.02"
after_stop = "sleep 0.02"
"""
TABLES = {"obedient": OBEDIENT, "deaf": DEAF, "hooked": HOOKED}

Command = tuple[Callable[[Client], Report], str | None]
"""What is asked for, and the state that is then to be, if any."""

BESIDE = {
    "E201": "it was up already",
    "E202": "it was not running",
    "E218": "a newer request overtook it",
}
UP, DOWN = "running", "stopped"


@dataclass
class Deed:
    """One command of one client: when it was asked and answered, and what then was to be."""

    sent: float
    acked: float
    code: str | None
    answer: Report | None
    asked: str | None

    def counts(self, deeds: list[Deed]) -> bool:
        """Return whether it was done, and nobody asked for anything after it was acknowledged."""
        taken = (deed for deed in deeds if deed.asked and deed.code not in {"E201", "E202"})
        later = (deed for deed in taken if deed.sent > self.acked)
        return self.asked is not None and self.code is None and not any(later)


def commands(site: Site) -> list[Command]:
    config = str(site.folder / "taskmux.toml")
    return [
        (lambda client: client.start(StartTasks(config=config, task="a")), UP),
        (lambda client: client.restart(RestartTasks(config=config, task="a")), UP),
        (lambda client: client.stop(StopTasks(config=config, task="a")), DOWN),
        (lambda client: client.kill(Kill(config=config, task="a")), DOWN),
        (lambda client: client.reload(Reload(config=config)), None),
    ]


def storm(site: Site, dice: random.Random, each: int) -> list[Deed]:
    """Let all clients loose on one task at once; return what each did."""
    plans = [dice.choices(commands(site), k=each) for _ in range(CLIENTS)]
    at_once = Barrier(CLIENTS)

    def play(plan: list[Command]) -> list[Deed]:
        client, deeds = Client(paths.door(site.home)), []
        at_once.wait()
        for ask, asked in plan:
            sent, code, answer = monotonic(), None, None
            try:
                answer = ask(client)
            except Refused as refused:
                code = refused.code
            deeds.append(Deed(sent, monotonic(), code, answer, asked))
        return deeds

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [deed for deeds in pool.map(play, plans) for deed in deeds]


def judge(site: Site, deeds: list[Deed]) -> None:
    assert {deed.code for deed in deeds} - {None} <= set(BESIDE)
    for deed in deeds:
        # Up, or on its way there for somebody newer: nobody is told that he started what is down.
        state = getattr(deed.answer, "state", deed.asked)
        assert (state == DOWN) == (deed.asked == DOWN)
    task = site.tasks()["a"]
    assert task["state"] in {deed.asked for deed in deeds if deed.counts(deeds)}
    lives = [event["event"] for event in site.events("task_started", "task_exited")]
    assert lives[::2] == ["task_started"] * len(lives[::2])  # one at a time
    assert lives[1::2] == ["task_exited"] * len(lives[1::2])
    assert len(lives) % 2 == (task["state"] == "running")


@pytest.mark.parametrize("table", TABLES)
def test_what_was_acknowledged_last_is_what_is_in_the_end(site: Site, table: str) -> None:
    site.write(f"[tasks.a]\n{TABLES[table]}")
    site.ask("status")
    judge(site, storm(site, random.Random(table), EACH))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("seed", range(20))
def test_many_storms(site: Site, table: str, seed: int) -> None:
    site.write(f"[tasks.a]\n{TABLES[table]}")
    site.ask("status")
    judge(site, storm(site, random.Random(seed), 20))


def test_who_was_overtaken_is_told_what_became_of_the_task(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "sleep 1000"\nready_log = "never"\n')
    site.ask("status")
    config = str(site.folder / "taskmux.toml")
    client = Client(paths.door(site.home))
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(client.start, StartTasks(config=config, task="a"))
        site.await_event("task_started")
        assert site.ask("stop", "a")["action"] == "stopped"
        with pytest.raises(Refused) as told:
            start.result()
    assert told.value.code == "E218"
    assert "a is stopped (stopped on request)" in str(told.value)


def test_a_restart_that_another_one_overtakes_is_a_restart(site: Site) -> None:
    site.write(f"[tasks.a]\n{DEAF}")
    site.ask("start")
    config = str(site.folder / "taskmux.toml")
    asked = RestartTasks(config=config, task="a")
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [Client(paths.door(site.home)) for _ in range(CLIENTS)]
        reports = list(pool.map(lambda client: client.restart(asked), clients))
    told = {(getattr(report, "action", ""), getattr(report, "state", "")) for report in reports}
    assert told == {("restarted", "running")}


def test_a_restart_waits_for_the_longer_one_that_overtook_it(site: Site) -> None:
    slow = [DEAF.replace("0.1", grace) for grace in ("0.5", "1.0")]
    site.write(f"[tasks.a]\n{slow[0]}[tasks.b]\n{slow[1]}")
    site.ask("start")
    config = str(site.folder / "taskmux.toml")
    with ThreadPoolExecutor(2) as pool:
        client = Client(paths.door(site.home))
        one = pool.submit(client.restart, RestartTasks(config=config, task="a"))
        while site.tasks()["a"]["state"] != "stopping":
            assert not one.done()
        both = pool.submit(client.restart, RestartTasks(config=config))
        report = one.result()
        assert isinstance(report, ActionReport)
        assert (report.action, report.state) == ("restarted", "running")
        assert isinstance(both.result(), ActionsReport)
    assert len(site.events("task_restarted")) == 2  # each once: the first had not begun to start


def test_fifty_cold_starts_make_one_daemon_and_one_task(site: Site) -> None:
    site.write(f"[tasks.a]\n{OBEDIENT}")
    calls = [run_cli(site, "start", "a", "--if-stopped", "--json") for _ in range(50)]
    said = [call.communicate() for call in calls]
    answers: list[Any] = [json.loads(out) for out, _ in said]
    assert [call.returncode for call in calls] == [0] * 50, answers
    assert {answer["action"] for answer in answers} <= {"started", "already_running"}
    assert {answer["state"] for answer in answers} == {"running"}
    events = (site.home / "events.jsonl").read_text()
    assert [events.count(f'"{kind}"') for kind in ("daemon_started", "task_started")] == [1, 1]
    assert sum(b"started the taskmux daemon" in err for _, err in said) == 1
