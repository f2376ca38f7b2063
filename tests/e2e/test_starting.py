from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.site import Site

FULL_STACK = """
[tasks.db]
command = "touch db-up; sleep 1000"
health_check = "test -f db-up"
health_interval = 0.2

[tasks.migrate]
command = "echo migrated > schema"
type = "oneshot"
depends_on = ["db"]

[tasks.api]
command = "exec python3 -m http.server $PORT"
host = "api"
depends_on = ["migrate"]

[tasks.worker]
command = "sleep 1000"
depends_on = ["db"]

[tasks.web]
command = "exec python3 -m http.server $PORT"
host = "web"
depends_on = ["api"]

[tasks.storybook]
command = "sleep 1000"
auto_start = false
"""

NEEDS = {"migrate": ["db"], "worker": ["db"], "api": ["migrate"], "web": ["api"]}


def seqs(events: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    return {(event.get("task", ""), event["event"]): event["seq"] for event in events}


def test_a_project_starts_in_the_order_of_its_dependencies(site: Site) -> None:
    site.write(FULL_STACK)
    report = site.ask("start")
    assert report["ok"]
    assert [r["task"] for r in report["results"]] == ["db", "migrate", "api", "worker", "web"]
    at = seqs(site.events())
    ready = {"migrate": "task_completed"}
    for task, needs in NEEDS.items():
        for need in needs:
            assert at[need, ready.get(need, "task_ready")] < at[task, "task_started"]
    tasks = site.tasks()
    states = {name: task["state"] for name, task in tasks.items()}
    assert states == {
        "db": "running", "migrate": "completed", "api": "running", "worker": "running",
        "web": "running", "storybook": "stopped",
    }  # fmt: skip
    assert (site.folder / "schema").read_text() == "migrated\n"


def test_starting_all_again_starts_nothing(site: Site) -> None:
    site.write(FULL_STACK)
    site.ask("start")
    before = site.tasks()
    actions = [result["action"] for result in site.ask("start")["results"]]
    assert actions == [
        "already_running", "already_completed", "already_running", "already_running",
        "already_running",
    ]  # fmt: skip
    assert {n: t["pid"] for n, t in site.tasks().items()} == {
        n: t["pid"] for n, t in before.items()
    }


def test_starting_one_starts_what_it_needs_and_no_more(site: Site) -> None:
    site.write(FULL_STACK)
    site.ask("start", "api")
    running = {name for name, task in site.tasks().items() if task["running"]}
    assert running == {"db", "api"}


def test_one_that_is_up_is_said_to_be(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "sleep 1000"')
    site.ask("start", "a")
    status, answer = site.call("start", "a")
    assert (status, answer["error_code"], answer["task"]) == (1, "E201", "a")
    assert site.ask("start", "a", "--if-stopped")["action"] == "already_running"


def test_looking_starts_nothing(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "sleep 1000"')
    for command in (["status"], ["health"], ["inspect", "a"], ["logs"], ["events"]):
        site.ask(*command)
    assert site.tasks()["a"]["state"] == "stopped"


@pytest.mark.parametrize(
    ("table", "code", "said"),
    [
        ('command = "nosuchcommand"', "E215", "command not found"),
        ('command = "exit 3"\nrestart_policy = "no"', "E217", "exited with 3"),
        ('command = "true"\ncwd = "gone"', "E213", "no such folder"),
        ('command = "true"\nhooks.before_start = "echo no; exit 4"', "E400", "failed with 4: no"),
        (
            'command = "true"\nhooks.before_start = "sleep 60"\nhook_timeout = 0.2',
            "E401",
            "0.2 s",
        ),
        ('command = "sleep 9"\nready_log = "never"', "E902", "not probed yet"),
    ],
)
def test_a_start_that_fails_says_why(site: Site, table: str, code: str, said: str) -> None:
    site.write(f"[tasks.a]\n{table}")
    status, answer = site.call("start", "a", "--timeout", "2")
    assert (answer["ok"], answer["error_code"]) == (False, code)
    assert status == (124 if code == "E902" else 1)
    assert said in answer["error"]
    assert answer["hint"]


def test_what_needs_a_lost_task_fails_at_once_and_names_it(site: Site) -> None:
    site.write(
        '[tasks.db]\ncommand = "exit 3"\nrestart_policy = "no"\n'
        '[tasks.api]\ncommand = "sleep 1000"\ndepends_on = ["db"]\n'
        '[tasks.web]\ncommand = "sleep 1000"\ndepends_on = ["api"]'
    )
    status, report = site.call("start")
    assert status == 1
    codes = {result["task"]: result["error_code"] for result in report["results"]}
    assert codes == {"db": "E217", "api": "E214", "web": "E214"}
    assert "db will not become ready" in site.tasks()["api"]["reason"]


def test_a_oneshot_is_started_when_it_is_done(site: Site) -> None:
    site.write(
        '[tasks.good]\ncommand = "sleep 0.5"\ntype = "oneshot"\n'
        '[tasks.bad]\ncommand = "sleep 0.5; exit 3"\ntype = "oneshot"\n'
    )
    assert site.ask("start", "good")["state"] == "completed"
    assert site.ask("stop", "good")["reason"] == "exited with 0"
    status, answer = site.call("start", "bad")
    assert (status, answer["error_code"]) == (1, "E217")


def test_a_command_about_several_fails_if_one_does(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "sleep 1000"\n[tasks.b]\ncommand = "nosuchcommand"')
    status, report = site.call("start", "a", "b")
    assert (status, report["ok"]) == (1, False)
    assert [result["ok"] for result in report["results"]] == [True, False]


@pytest.mark.parametrize(
    ("condition", "dependency"),
    [
        ("started", 'command = "sleep 1000"\nready_log = "never"'),
        ("healthy", 'command = "echo up; sleep 1000"\nready_log = "^up$"'),
        ("completed", 'command = "true"\ntype = "oneshot"'),
    ],
)
def test_each_condition_lets_its_dependent_start(
    site: Site, condition: str, dependency: str
) -> None:
    site.write(
        f"[tasks.a]\n{dependency}\n"
        f'[tasks.b]\ncommand = "sleep 1000"\ndepends_on = {{ a = "{condition}" }}'
    )
    assert site.ask("start", "b")["action"] == "started"


def test_a_task_is_given_the_callers_environment_its_own_and_ours(site: Site) -> None:
    site.write(
        '[tasks.a]\ncommand = "env; sleep 1000"\nenv = { MINE = "1" }\nready_log = "MINE"\n'
        '[tasks.b]\ncommand = "true"'
    )
    site.ask("start", "a")
    tasks = site.tasks()
    given = dict(line.split("=", 1) for line in site.lines("a") if "=" in line)
    assert given["SHELL_HAS"] == "this"
    assert given["MINE"] == "1"
    assert given["PORT"] == str(tasks["a"]["port"])
    assert given["TASKMUX_PORT_B"] == str(tasks["b"]["port"])
    assert given["TASKMUX_SESSION"] == "shop"
    assert given["TERM"] == "xterm-256color"


def test_a_task_has_a_terminal_and_its_own_folder(site: Site) -> None:
    (site.folder / "sub").mkdir()
    site.write(
        '[tasks.a]\ncwd = "sub"\n'
        'command = "test -t 0 -a -t 1 && echo tty; pwd; stty size; echo here > /dev/tty; sleep 9"'
        '\nready_log = "here"'
    )
    site.ask("start", "a")
    assert site.lines("a") == ["tty", str(site.folder / "sub"), "50 200", "here"]


def test_hooks_run_outside_in_and_back(site: Site) -> None:
    site.write(
        '[hooks]\nbefore_start = "echo global in"\nafter_start = "echo global up"\n'
        'before_stop = "echo global down"\nafter_stop = "echo global out"\n'
        '[tasks.a]\ncommand = "sleep 1000"\n[tasks.a.hooks]\nbefore_start = "echo task in $PORT"\n'
        'after_start = "echo task up"\nbefore_stop = "echo task down"\nafter_stop = "echo task out"'
    )
    site.ask("start", "a")
    site.ask("wait", "a", "--for", "log:global up", "--timeout", "20")
    site.ask("stop", "a")
    port = site.tasks()["a"]["port"]
    assert site.lines("a") == [
        "global in", f"task in {port}", "task up", "global up", "global down", "task down",
        "task out", "global out",
    ]  # fmt: skip


def test_a_before_stop_that_fails_keeps_the_task_up(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "sleep 1000"\nhooks.before_stop = "test -f allowed"')
    site.ask("start", "a")
    pid = site.tasks()["a"]["pid"]
    status, answer = site.call("stop", "a")
    assert (status, answer["error_code"]) == (1, "E400")
    assert site.tasks()["a"]["pid"] == pid
    (site.folder / "allowed").touch()
    assert site.ask("stop", "a")["action"] == "stopped"


def test_two_projects_do_not_meet(site: Site, other: Callable[[str], Site]) -> None:
    site.write('[tasks.a]\ncommand = "sleep 1000"')
    site.ask("start")
    second = other("second")
    second.write('[tasks.a]\ncommand = "sleep 1000"')
    status, answer = second.call("start")
    assert (status, answer["error_code"]) == (1, "E305")
    assert str(site.folder) in answer["error"]
    (second.folder / "taskmux.toml").write_text('name = "blog"\n[tasks.a]\ncommand = "sleep 1000"')
    second.ask("start")
    second.ask("stop")
    assert site.tasks()["a"]["state"] == "running"
    sessions = [project["session"] for project in site.ask("daemon", "list")["projects"]]
    assert sessions == ["shop", "blog"]


def test_what_a_task_makes_has_the_modes_of_its_user(site: Site) -> None:
    before = os.umask(0o027)
    try:
        site.ask("daemon", "start")
    finally:
        os.umask(before)
    site.write('[tasks.it]\ncommand = "touch made; exec sleep 1000"\n'
               '[tasks.it.hooks]\nbefore_start = "touch hooked"\n')  # fmt: skip
    site.ask("start")
    modes = {name: (site.folder / name).stat().st_mode & 0o777 for name in ("made", "hooked")}
    assert modes == {"made": 0o640, "hooked": 0o640}
    ours = [file for file in site.home.rglob("*") if file != site.home / "config.toml"]
    assert [file for file in ours if file.lstat().st_mode & 0o077] == []
