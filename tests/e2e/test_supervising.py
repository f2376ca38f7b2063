from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'


def wait(site: Site, task: str, until: str) -> Any:
    return site.ask("wait", task, "--for", until, "--timeout", "30")


@pytest.mark.parametrize("until", ["soon", "log", "ready:now", "log:(", "log:a(?=b)"])
def test_what_cannot_be_waited_for_is_an_error_at_once(until: str, site: Site) -> None:
    site.write(SLEEPER)
    status, answer = site.call("wait", "a", "--for", until)
    assert (status, answer["error_code"]) == (2, "E801")
    assert answer["hint"]


def test_who_waits_in_vain_is_told_for_what(site: Site) -> None:
    site.write(SLEEPER)
    for until, what in (("completed", "completion of a"), ("log:x", "matching line of a")):
        status, answer = site.call("wait", "a", "--for", until, "--timeout", "0")
        assert (status, answer["error_code"], answer["limit"]) == (124, "E902", 0)
        assert answer["error"].startswith(f"no {what} within 0 s: a is stopped")


def test_a_crash_is_noticed_and_made_good(site: Site) -> None:
    site.write(SLEEPER + "restart_backoff = 0\n")
    site.ask("start")
    pid = site.tasks()["a"]["pid"]
    os.kill(pid, signal.SIGKILL)
    site.await_event("auto_restart")
    wait(site, "a", "ready")
    task = site.tasks()["a"]
    assert (task["state"], task["run"], task["signal"]) == ("running", 2, 9)
    assert task["pid"] != pid


def test_a_task_that_keeps_crashing_is_given_up(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "exit 3"\nmax_restarts = 2\nrestart_backoff = 0\n')
    status, answer = site.call("start", "a")
    assert (status, answer["error_code"]) == (1, "E217")
    assert site.tasks()["a"]["reason"] == "exited with 3; gave up after 2 restarts"
    kinds = [event["event"] for event in site.events()]
    assert kinds.count("task_started") == 3
    assert kinds.count("max_restarts_reached") == 1
    assert [event["delay"] for event in site.events("restart_scheduled")] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("table", "state", "starts"),
    [
        ('command = "true"', "stopped", 1),
        ('command = "true"\ntype = "oneshot"', "completed", 1),
        ('command = "exit 3"\ntype = "oneshot"', "failed", 1),
        ('command = "exit 3"\nrestart_policy = "no"', "failed", 1),
        ('command = "true"\nrestart_policy = "always"\nmax_restarts = 1', "failed", 2),
        ('command = "exit 3"\nmax_restarts = 0', "failed", 1),
        ('command = "exit 3"\nrestart_backoff = 1e200\nmax_restarts = 1', "failed", 2),
    ],
)
def test_each_policy_ends_as_it_says(site: Site, table: str, state: str, starts: int) -> None:
    site.write(f"[tasks.a]\n{table}\n")
    site.call("start", "a")
    wait(site, "a", "exit")
    task = site.tasks()["a"]
    assert (task["state"], task["events"]["starts"]) == (state, starts)


def test_a_stop_says_what_it_took_and_leaves_nothing(site: Site) -> None:
    site.write(
        "[tasks.deaf]\ncommand = \"trap '' INT TERM; echo deaf; while :; do sleep 1; done\"\n"
        'ready_log = "deaf"\nstop_grace_period = 0.1\n' + SLEEPER
    )
    site.ask("start")
    pids = {task["pid"] for task in site.tasks().values()}
    report = site.ask("stop")
    took = {result["task"]: result["signal"] for result in report["results"]}
    assert took == {"deaf": "SIGKILL", "a": "SIGINT"}
    assert all(result["survivors"] == [] for result in report["results"])
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    again = site.ask("stop")
    assert {result["action"] for result in again["results"]} == {"already_stopped"}
    assert site.ask("stop", "a")["action"] == "already_stopped"


@pytest.mark.parametrize(
    "escape",
    [
        pytest.param("setsid sleep 1000 & sleep 1000", id="setsid"),
        pytest.param("set -m; sleep 1000 & sleep 1000", id="job control"),
        pytest.param("(trap '' HUP INT TERM; sleep 1000) & sleep 1000", id="deaf child"),
        pytest.param("nohup setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null & sleep 1", id="two"),
    ],
)
@pytest.mark.parametrize("command", ["stop", "kill", "restart"])
def test_what_a_task_left_behind_is_ended(site: Site, escape: str, command: str) -> None:
    site.write(f'[tasks.a]\ncommand = "{escape}"\nrestart_policy = "no"\nstop_grace_period = 0.1\n')
    site.ask("start", "a")
    run_id = marker(site.tasks()["a"]["pid"])
    site.call(command, "a")
    assert [pid for pid in site.left() if marker(pid) == run_id] == []


def test_stopped_by_hand_stays_stopped(site: Site) -> None:
    site.write(SLEEPER + 'restart_policy = "always"\n')
    site.ask("start")
    site.ask("stop", "a")
    assert site.tasks()["a"]["state"] == "stopped"
    site.ask("start", "a")
    os.kill(site.tasks()["a"]["pid"], signal.SIGKILL)
    site.await_event("restart_scheduled")


def test_kill_does_not_ask(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "trap \'\' INT TERM; echo up; sleep 1000"\nready_log = "up"')
    site.ask("start", "a")
    answer = site.ask("kill", "a")
    assert (answer["action"], answer["signal"]) == ("killed", "SIGKILL")
    status, answer = site.call("kill", "a")
    assert (status, answer["error_code"]) == (1, "E202")


def test_a_restart_is_a_new_process_with_a_new_environment(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "echo $SHELL_HAS; sleep 1000"\n')
    site.ask("start", "a")
    before = site.tasks()["a"]
    assert site.ask("restart", "a")["action"] == "restarted"
    after = site.tasks()["a"]
    assert (before["pid"], before["run"] + 1) != (after["pid"], after["run"] + 2)
    assert after["port"] == before["port"]
    assert site.lines("a") == ["this", "this"]


def test_an_unhealthy_task_is_shown_and_restarted(site: Site) -> None:
    site.write(
        '[tasks.a]\ncommand = "touch well; sleep 1000"\nhealth_check = "echo sick; test -f well"\n'
        "health_interval = 0.1\nhealth_retries = 2\nrestart_backoff = 0\n"
    )
    site.ask("start", "a")
    (site.folder / "well").unlink()
    site.await_event("auto_restart")
    failed = site.events("health_check_failed")
    assert [event["attempt"] for event in failed[:2]] == [1, 2]
    assert "sick" in failed[0]["reason"]
    wait(site, "a", "ready")


def test_without_a_policy_an_unhealthy_task_is_only_shown(site: Site) -> None:
    site.write(
        '[tasks.a]\ncommand = "sleep 1000"\nhealth_check = "test ! -f sick"\n'
        'health_interval = 0.1\nrestart_policy = "no"\n'
    )
    site.ask("start", "a")
    (site.folder / "sick").touch()
    site.await_event("health_check_failed")
    assert site.tasks()["a"]["state"] == "unhealthy"
    report = site.ask("health")
    assert (report["healthy_count"], report["total_count"]) == (0, 1)
    assert site.call("health")[0] == 0


def test_a_removed_task_is_stopped_and_its_table_gone(site: Site) -> None:
    site.write(f"# mine\n{SLEEPER}\n# other\n[tasks.b]\ncommand = 'sleep 1000' # stays\n")
    site.ask("start")
    pid = site.tasks()["a"]["pid"]
    assert site.ask("remove", "a")["action"] == "removed"
    assert not Path(f"/proc/{pid}").exists()
    assert list(site.tasks()) == ["b"]
    assert "sleep 1000' # stays" in (site.folder / "taskmux.toml").read_text()


def test_what_cannot_be_removed_from_a_wrong_file_is_not_said_to_be_missing(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    with (site.folder / "taskmux.toml").open("a") as file:
        file.write("[tasks.b]\ncommand = 'sleep 1000'\n[tasks.c\n")
    status, answer = site.call("remove", "b")
    assert (status, answer["error_code"]) == (2, "E101")
    assert site.tasks()["a"]["state"] == "running"


def test_an_added_task_is_there_at_once(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("add", "web", "echo $PORT; sleep 1000", "--host", "web")
    assert site.tasks()["web"]["host"] == "web"
    status, answer = site.call("add", "web", "other")
    assert (status, answer["error_code"]) == (2, "E106")


def test_edits_of_the_file_are_followed(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    pid = site.tasks()["a"]["pid"]
    site.write(SLEEPER.replace("sleep 1000", "sleep 2000") + '[tasks.b]\ncommand = "true"\n')
    site.await_event("config_reloaded")
    assert "b" in site.tasks()
    task = site.tasks()["a"]
    assert (task["pid"], task["restart_needed"]) == (pid, True)
    site.write("[tasks.a]\ncomand = 'x'\n")
    wrong = site.await_event("config_error")
    assert wrong["error_code"] == "E102"
    assert site.tasks()["a"]["pid"] == pid
    (site.folder / "taskmux.toml").unlink()
    site.await_event("config_error", after=wrong["seq"])
    report = site.ask("--project", "shop", "status")
    assert report["state"] == "config_missing"
    assert report["tasks"][0]["pid"] == pid
    status, answer = site.call("status")
    assert (status, answer["error_code"]) == (2, "E100")
    assert "--project shop" in answer["hint"]


def marker(pid: int) -> str | None:
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    found = [entry for entry in entries if entry.startswith(b"TASKMUX_RUN_ID=")]
    return found[0].decode() if found else None
