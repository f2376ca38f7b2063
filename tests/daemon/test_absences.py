"""What is said of names where nobody answers."""

from __future__ import annotations

from typing import Any

import pytest

from taskmux.daemon.absences import Plight, broken, down, unknown
from taskmux.errors import InvalidToml, UnknownKey
from taskmux.lifecycle import State
from taskmux.proxy.directory import Absence, Target

API = Target(23417, "shop", "api")
URLS = [
    "https://blog.localhost:8443",
    "https://shop.localhost:8443",
    "https://web.shop.localhost:8443",
    "https://api.shop.localhost:8443",
    "https://api.blog.localhost:8443",
]


def commands(absence: Absence) -> list[str]:
    return [step.command.removesuffix(" --project shop") for step in absence.steps]


def test_a_misspelt_name_has_a_nearest_one_and_its_own_project_first() -> None:
    found = unknown("apo.shop.localhost", URLS, "shop")
    assert (found.status, found.code) == (404, "unknown_host")
    assert found.why == "no task has the name apo.shop.localhost"
    assert found.hint == "did you mean https://api.shop.localhost:8443?"
    assert found.facts == {
        "host": "apo.shop.localhost",
        "session": "shop",
        "nearest": "https://api.shop.localhost:8443",
        "urls": [URLS[3], URLS[1], URLS[2], URLS[4], URLS[0]],
    }


@pytest.mark.parametrize(
    ("host", "project", "hint"),
    [
        ("db.shop.localhost", "shop", 'give a task of shop `host = "db"` in its taskmux.toml'),
        ("shop.localhost", "shop", 'give a task of shop `host = "@"` in its taskmux.toml'),
        (
            "a.toys.localhost",
            None,
            "there is no project toys here: run `taskmux start` in its folder",
        ),
        (
            "example.org",
            None,
            "names of tasks end in .localhost, with a project's name before that",
        ),
    ],
)
def test_a_name_like_no_other_can_be_made(host: str, project: str | None, hint: str) -> None:
    found = unknown(host, [], project)
    assert (found.hint, found.facts["nearest"], found.facts["urls"]) == (hint, None, [])


def test_a_taskmux_toml_that_is_not_in_force_may_have_the_name() -> None:
    trouble = InvalidToml("/shop/taskmux.toml", "odd", 3, 7)
    hint = str(unknown("db.shop.localhost", URLS, "shop", trouble).hint)
    assert hint.startswith("the newest taskmux.toml of shop is not in force: ")
    assert hint.endswith("at line 3, column 7: odd")


def test_a_broken_project_says_where() -> None:
    found = broken("shop", UnknownKey("/shop/taskmux.toml", "tasks.api.comand", 4, ["command"]))
    assert (found.status, found.code, found.retry) == (503, "project_down", True)
    assert found.why == "shop: unknown key tasks.api.comand in /shop/taskmux.toml, line 4"
    assert found.hint == "did you mean 'command'?"
    assert found.facts == {
        "session": "shop",
        "reason": "unknown key tasks.api.comand in /shop/taskmux.toml, line 4",
        "cause": "E102",
        "key": "tasks.api.comand",
        "line": 4,
    }
    assert commands(found) == ["taskmux check"]
    assert broken("shop", None).why == "shop is only being opened"


@pytest.mark.parametrize(
    ("state", "more", "typed"),
    [
        (State.STOPPED, {}, ["taskmux start api"]),
        (State.COMPLETED, {}, ["taskmux start api"]),
        (State.STOPPING, {"up": True}, ["taskmux start api"]),
        (State.WAITING, {"waits_for": ["db"]}, ["taskmux inspect db"]),
        (State.STARTING, {"up": True}, ["taskmux logs -f api"]),
        (State.RUNNING, {"up": True}, ["taskmux inspect api", "taskmux restart api"]),
        (State.UNHEALTHY, {"up": True}, ["taskmux inspect api", "taskmux restart api"]),
        (State.BACKOFF, {}, ["taskmux logs api", "taskmux restart api"]),
        (State.FAILED, {}, ["taskmux logs api", "taskmux start api"]),
    ],
)
def test_each_state_has_its_remedy(state: State, more: dict[str, Any], typed: list[str]) -> None:
    found = down(API, Plight(state, "so", **{"up": False, **more}), "connection refused")
    assert commands(found) == typed
    assert (found.status, found.code, found.retry) == (503, "task_down", True)


def test_a_task_without_a_process_is_explained_by_its_end() -> None:
    plight = Plight(State.FAILED, "ended by SIGSEGV", False, -11, 4, (), ["oh", "no"])
    found = down(API, plight, "it has no process")
    assert found.why == "api is failed: ended by SIGSEGV"
    assert found.public == "api is failed"
    assert found.facts == {
        "session": "shop",
        "task": "api",
        "state": "failed",
        "reason": "ended by SIGSEGV",
        "port": 23417,
        "listening": [],
        "run": 4,
        "exit_code": None,
        "signal": 11,
        "waits_for": [],
        "lines": ["oh", "no"],
    }
    assert down(API, Plight(State.FAILED, "so", False, 3), "").facts["exit_code"] == 3


def test_a_task_with_a_process_is_explained_by_what_came_of_asking() -> None:
    found = down(API, Plight(State.RUNNING, "alive", True, 1, 2), "connection refused")
    assert found.public == "api is running, and does not answer on port 23417"
    assert found.why == f"{found.public}: connection refused"
    assert (found.facts["exit_code"], found.hint) == (None, None), "that was the run before"


def test_a_task_that_listens_elsewhere_is_told_where_to() -> None:
    plight = Plight(State.STARTING, "not ready yet: listening on 5173, 5174, expected 23417", True)
    found = down(API, plight, "connection refused")
    assert found.why.endswith("on port 23417: it listens on 5173, 5174")
    assert found.hint == "have its command listen on `$PORT`, which is 23417"
    assert found.facts["listening"] == [5173, 5174]
    assert commands(found) == ["taskmux inspect api", "taskmux restart api"]
