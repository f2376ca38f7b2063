from __future__ import annotations

from pathlib import Path

import pytest

from taskmux.supervisor.environ import Identity, Sibling, task_environ

WHO = Identity("/home/me/.taskmux", "shop", "shop-feat", "api", 3, "the-marker")
SIBLINGS = {"api": Sibling(20001, "http://a"), "build:css": Sibling(20002, "http://b")}


def test_everything_a_task_is_told() -> None:
    assert task_environ({"PATH": "/bin"}, {"LOG": "debug"}, WHO, SIBLINGS) == {
        "PATH": "/bin",
        "LOG": "debug",
        "TERM": "xterm-256color",
        "PORT": "20001",
        "TASKMUX_HOME": "/home/me/.taskmux",
        "TASKMUX_PROJECT": "shop",
        "TASKMUX_SESSION": "shop-feat",
        "TASKMUX_TASK": "api",
        "TASKMUX_RUN": "3",
        "TASKMUX_RUN_ID": "the-marker",
        "TASKMUX_URL": "http://a",
        "TASKMUX_URL_API": "http://a",
        "TASKMUX_PORT_API": "20001",
        "TASKMUX_URL_BUILD_CSS": "http://b",
        "TASKMUX_PORT_BUILD_CSS": "20002",
    }


def test_what_belongs_to_an_outer_task_or_terminal_is_not_passed_on() -> None:
    outer = {"TASKMUX_RUN_ID": "outer", "TASKMUX_URL_DB": "x", "COLUMNS": "80", "LINES": "9"}
    given = task_environ(outer, {}, WHO, SIBLINGS)
    assert given["TASKMUX_RUN_ID"] == "the-marker"
    assert not {"TASKMUX_URL_DB", "COLUMNS", "LINES"} & given.keys()


@pytest.mark.parametrize("name", ["PORT", "TASKMUX_RUN_ID"])
def test_a_table_cannot_take_our_names(name: str) -> None:
    assert task_environ({}, {name: "mine"}, WHO, SIBLINGS)[name] != "mine"


def test_a_table_comes_before_the_caller() -> None:
    given = task_environ({"TERM": "dumb", "A": "1"}, {"TERM": "vt100", "A": "2"}, WHO, SIBLINGS)
    assert (given["TERM"], given["A"]) == ("vt100", "2")


@pytest.mark.parametrize(
    ("caller", "own", "told"),
    [
        ({}, {}, "/ca/root.pem"),
        ({"NODE_EXTRA_CA_CERTS": "/caller"}, {}, "/caller"),
        ({}, {"NODE_EXTRA_CA_CERTS": "/own"}, "/own"),
        ({"NODE_EXTRA_CA_CERTS": "/caller"}, {"NODE_EXTRA_CA_CERTS": ""}, ""),
    ],
)
def test_node_is_told_of_our_root_unless_told_of_another(
    caller: dict[str, str], own: dict[str, str], told: str
) -> None:
    given = task_environ(caller, own, WHO, SIBLINGS, Path("/ca/root.pem"))
    assert given["NODE_EXTRA_CA_CERTS"] == told
