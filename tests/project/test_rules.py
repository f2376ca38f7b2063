from __future__ import annotations

import pytest

from taskmux.errors import (
    DependencyCycle,
    DependsOnItself,
    InvalidValue,
    TaskmuxError,
    UnknownDependency,
)
from taskmux.lifecycle import Restart
from taskmux.project import Condition, ProjectConfig, TaskConfig, parse, resolved


def read(text: str) -> ProjectConfig:
    return parse(text, "taskmux.toml")


def task(line: str, name: str = "api") -> TaskConfig:
    return read(f'[tasks.{name}]\ncommand = "true"\n{line}\n').tasks[name]


def wrong(text: str) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        read(text)
    assert caught.value.code == "E103"
    return caught.value


def test_a_oneshot_is_not_restarted_unless_its_table_says_so() -> None:
    assert task('type = "oneshot"').restart_policy is Restart.NO
    assert task('type = "oneshot"').oneshot
    kept = task('type = "oneshot"\nrestart_policy = "on-failure"')
    assert kept.restart_policy is Restart.ON_FAILURE


def test_ready_means_completed_for_a_oneshot_and_healthy_for_others() -> None:
    text = """
        [tasks.web]
        command = "w"
        depends_on = ["migrate", "db"]
        [tasks.migrate]
        command = "m"
        type = "oneshot"
        [tasks.db]
        command = "d"
        """
    found = read(text).tasks["web"].depends_on
    assert found == {"migrate": Condition.COMPLETED, "db": Condition.HEALTHY}


def test_conditions_can_be_named() -> None:
    text = """
        [tasks.web]
        command = "w"
        depends_on = { db = "healthy", migrate = "completed", cache = "started" }
        [tasks.migrate]
        command = "m"
        type = "oneshot"
        [tasks.db]
        command = "d"
        [tasks.cache]
        command = "c"
        """
    found = read(text).tasks["web"]
    assert found.depends_on == {
        "db": Condition.HEALTHY,
        "migrate": Condition.COMPLETED,
        "cache": Condition.STARTED,
    }
    assert resolved(found)["depends_on"] == {
        "db": "healthy", "migrate": "completed", "cache": "started",
    }  # fmt: skip


def test_nothing_can_wait_for_the_end_of_a_task_that_has_none() -> None:
    error = wrong(
        "[tasks.db]\ncommand = 'd'\n[tasks.web]\ncommand = 'w'\ndepends_on = { db = 'completed' }"
    )
    assert str(error) == (
        "tasks.web.depends_on.db in taskmux.toml, line 5 is wrong: "
        "db is not meant to end, so it never is completed"
    )
    assert error.hint == 'set type = "oneshot" in [tasks.db]'


@pytest.mark.parametrize(
    ("depends_on", "error"),
    [
        ("['nope']", UnknownDependency),
        ("['web']", DependsOnItself),
        ("['api']", DependencyCycle),
        ("{ nope = 'started' }", UnknownDependency),
        ("{ web = 'started' }", DependsOnItself),
        ("{ api = 'started' }", DependencyCycle),
    ],
)
def test_dependencies_must_make_a_graph(depends_on: str, error: type[TaskmuxError]) -> None:
    with pytest.raises(error):
        read(
            "[tasks.api]\ncommand = 'a'\ndepends_on = ['web']\n"
            f"[tasks.web]\ncommand = 'w'\ndepends_on = {depends_on}"
        )


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("host = 'x'", "host = 'x'", "a1 and b2 cannot both have host = 'x'"),
        ("host = '@'", "host = '@'", "a1 and b2 cannot both have host = '@'"),
        ("host = '*'", "host = '*'", "a1 and b2 cannot both have host = '*'"),
        ("public_hostname = 'a.b'", "public_hostname = 'A.b'", "cannot both have public_hostname"),
        ("log_file = 'x.log'", "log_file = 'x.log'", "cannot both have log_file"),
    ],
)
def test_some_things_only_one_task_can_have(first: str, second: str, why: str) -> None:
    error = wrong(f"[tasks.a1]\ncommand = 'a'\n{first}\n[tasks.b2]\ncommand = 'b'\n{second}")
    assert why in str(error)
    assert error.facts["line"] == 6


def test_apex_wildcard_and_names_go_together() -> None:
    hosts = ["@", "*", "a", "b"]
    text = "".join(
        f"[tasks.t{i}]\ncommand = 'x'\nhost = '{host}'\n" for i, host in enumerate(hosts)
    )
    assert [task.host for task in read(text).tasks.values()] == hosts


@pytest.mark.parametrize("other", ["a_b", "A-B", "a.b", "a:b"])
def test_two_tasks_cannot_share_a_name_in_the_environment(other: str) -> None:
    error = wrong(f"[tasks.a-b]\ncommand = 'x'\n[tasks.'{other}']\ncommand = 'y'")
    assert f"a-b and {other} would both be A_B in environment names" in str(error)
    assert error.facts["line"] == 3
