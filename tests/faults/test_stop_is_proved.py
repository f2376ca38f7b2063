from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from taskmux.processes import badge, native
from tests.e2e.site import Site
from tests.faults.hostile import CORPUS, Hostile
from tests.faults.lair import Lair

ALL = pytest.mark.parametrize("task", CORPUS, ids=lambda task: task.name)
NASTY = [task for task in CORPUS if task.nasty]


def spread(turn: int) -> pytest.MarkDecorator:
    """Try a third of the nasty ones, another third for each `turn`."""
    return pytest.mark.parametrize("task", NASTY[turn::3], ids=lambda task: task.name)


def start(task: Hostile, site: Site, lair: Lair) -> None:
    task.write(site.folder)
    lair.prepare()
    site.write(task.table)
    site.ask("start", "it")
    lair.await_up(1)
    assert not lair.empty(1)
    assert lair.hidden(1) or not task.hides


def prove(lair: Lair) -> None:
    assert lair.left(1) == []
    assert lair.empty(1)


def took(answer: dict[str, Any]) -> tuple[str, str | None, list[int]]:
    return answer["action"], answer["signal"], answer["survivors"]


@ALL
def test_after_a_stop_nobody_lives(task: Hostile, site: Site, lair: Lair) -> None:
    start(task, site, lair)
    answer = site.ask("stop", "it")
    prove(lair)
    assert took(answer) == ("stopped", task.takes, [])
    assert took(site.ask("stop", "it")) == ("already_stopped", None, [])


@ALL
def test_after_a_kill_nobody_lives(task: Hostile, site: Site, lair: Lair) -> None:
    start(task, site, lair)
    answer = site.ask("kill", "it")
    prove(lair)
    assert took(answer) == ("killed", "SIGKILL", [])
    assert took(site.ask("stop", "it")) == ("already_stopped", None, [])


@spread(0)
def test_after_a_restart_only_the_new_ones_live(task: Hostile, site: Site, lair: Lair) -> None:
    start(task, site, lair)
    assert site.ask("restart", "it")["action"] == "restarted"
    prove(lair)
    lair.await_up(2)
    assert not lair.empty(2)


@spread(1)
def test_after_a_removal_nobody_lives(task: Hostile, site: Site, lair: Lair) -> None:
    start(task, site, lair)
    assert site.ask("remove", "it")["action"] == "removed"
    prove(lair)
    assert site.tasks() == {}


@spread(2)
def test_after_the_daemon_s_end_nobody_lives(task: Hostile, site: Site, lair: Lair) -> None:
    start(task, site, lair)
    site.ask("daemon", "stop")
    prove(lair)
    assert site.ask("daemon", "stop")["running"] is False


def test_a_daemon_that_a_task_started_does_not_belong_to_it(site: Site) -> None:
    site.write('[tasks.it]\ncommand = "sleep 300"\n')
    with badge.worn(str(uuid4())):
        site.ask("status")
    pid = site.daemon_pid()
    assert pid is not None
    assert native.marker_of(pid) is None
