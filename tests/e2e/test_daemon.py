from __future__ import annotations

import json
import os
import signal
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from taskmux.client.launch import outlasting
from tests.e2e.site import Site, run_cli

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n[tasks.b]\ncommand = "exec sleep 1000"\n'


def kill_daemon(site: Site) -> None:
    pid = site.daemon_pid()
    assert pid is not None
    with outlasting(pid):
        os.kill(pid, signal.SIGKILL)


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_first_command_starts_it_and_says_so_once(site: Site) -> None:
    site.write(SLEEPER)
    status, out, err = site.people("status")
    assert status == 0
    assert "started the taskmux daemon" in err
    assert "started the taskmux daemon" not in out
    assert site.people("status")[2] == ""


def test_many_cold_starts_make_one_daemon(site: Site) -> None:
    site.write(SLEEPER)
    calls = [run_cli(site, "start", "--if-stopped", "--json") for _ in range(10)]
    answers = [json.loads(call.communicate(timeout=50)[0]) for call in calls]
    assert [answer for answer in answers if not answer["ok"]] == []
    assert len(started(site)) == 1
    assert [task["run"] for task in site.tasks().values()] == [1, 1]


def started(site: Site) -> list[dict[str, Any]]:
    lines = (site.home / "events.jsonl").read_text().splitlines()
    return [event for line in lines if (event := json.loads(line))["event"] == "daemon_started"]


def test_it_is_nobodys_child_and_has_no_terminal(site: Site) -> None:
    site.write(SLEEPER)
    call = run_cli(site, "status", "--json")
    call.communicate(timeout=50)
    pid = site.daemon_pid()
    assert pid is not None
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    parent, session, terminal = int(fields[1]), int(fields[3]), int(fields[4])
    assert parent not in {call.pid, os.getpid()}
    assert session not in {os.getsid(0), pid}
    assert terminal == 0
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")


def test_everything_of_it_is_its_owners_alone(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "umask; sleep 1000"\n')
    site.ask("start")
    site.ask("daemon", "stop")
    for path in [site.home, *site.home.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_clean_end_ends_every_task_in_reverse_order(site: Site) -> None:
    site.write(SLEEPER + 'depends_on = ["a"]\n')
    site.ask("start")
    pids = [task["pid"] for task in site.tasks().values()]
    site.ask("daemon", "stop")
    assert not any(running(pid) for pid in pids)
    stopped = [event["task"] for event in site.events("task_stopped")]
    assert stopped == ["b", "a"]
    assert site.ask("daemon", "stop")["running"] is False


def test_after_a_clean_end_nothing_starts_by_itself(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    site.ask("daemon", "stop")
    assert {task["state"] for task in site.tasks().values()} == {"stopped"}


def test_a_restart_brings_back_what_ran_and_nothing_else(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    site.ask("stop", "b")
    before = site.daemon_pid()
    site.ask("daemon", "restart", "--stop-tasks")
    assert site.daemon_pid() != before
    site.ask("wait", "a", "--timeout", "30")
    tasks = site.tasks()
    assert (tasks["a"]["state"], tasks["b"]["state"]) == ("running", "stopped")
    assert tasks["a"]["run"] == 2


def test_after_a_crash_nothing_runs_twice_and_what_was_wanted_comes_back(site: Site) -> None:
    site.write(
        SLEEPER + "[tasks.deaf]\ncommand = \"trap '' HUP INT TERM; echo $SHELL_HAS; sleep 1000\"\n"
        'ready_log = "this"\nstop_grace_period = 0.2\n'
    )
    site.ask("start")
    site.ask("stop", "b")
    before = site.tasks()
    kill_daemon(site)
    site.ask("wait", "a", "deaf", "--timeout", "30")
    after = site.tasks()
    assert not running(before["deaf"]["pid"])
    assert {name: task["state"] for name, task in after.items()} == {
        "a": "running", "b": "stopped", "deaf": "running",
    }  # fmt: skip
    assert after["a"]["port"] == before["a"]["port"]
    assert site.lines("deaf") == ["this", "this"]


def test_a_completed_oneshot_stays_completed_across_daemons(site: Site) -> None:
    site.write('[tasks.once]\ncommand = "true"\ntype = "oneshot"\n')
    site.ask("start")
    kill_daemon(site)
    assert site.tasks()["once"]["state"] == "completed"
    assert site.tasks()["once"]["run"] == 1


@pytest.mark.parametrize("content", ["", "{", "[1]", "\0" * 100])
def test_a_damaged_registry_is_set_aside(site: Site, content: str) -> None:
    site.write(SLEEPER)
    site.ask("start")
    site.ask("daemon", "stop")
    (site.home / "registry.json").write_text(content)
    assert site.tasks()["a"]["state"] == "stopped"
    damaged = site.ask("events", "-e", "state_damaged", "--project", "shop")["events"]
    assert damaged == [] or "registry.json" in damaged[0]["path"]
    assert list(site.home.glob("registry.json.corrupt-*"))


def test_a_port_that_is_taken_costs_other_programs_not_the_tasks(site: Site) -> None:
    site.write(SLEEPER)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (site.home / "config.toml").write_text(f"api_port = {port}\n")
        assert site.ask("start")["ok"]
        report = site.ask("daemon", "status")
    assert report["api_port"] is None
    assert str(port) in report["reason"]


def test_a_bad_host_config_keeps_it_from_starting_and_says_why(site: Site) -> None:
    site.write(SLEEPER)
    (site.home / "config.toml").write_text("api_prot = 1\n")
    status, answer = site.call("status")
    assert (status, answer["error_code"]) == (2, "E104")
    assert "api_port" in answer["hint"]


def test_unregistering_stops_what_runs(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    pids = [task["pid"] for task in site.tasks().values()]
    site.ask("daemon", "unregister", "shop")
    assert not any(running(pid) for pid in pids)
    assert site.ask("daemon", "list")["projects"] == []


def test_a_project_that_moved_takes_its_name_along(site: Site, tmp_path: Path) -> None:
    site.write(SLEEPER)
    site.ask("start")
    moved = Site(site.home, tmp_path / "moved")
    site.folder.rename(moved.folder)
    assert moved.ask("start")["session"] == "shop"
    [project] = moved.ask("daemon", "list")["projects"]
    assert project["config"] == str(moved.folder / "taskmux.toml")


def test_other_programs_speak_through_the_websocket(site: Site) -> None:
    site.write(SLEEPER)
    port = site.ask("status") and site.ask("daemon", "status")["api_port"]
    with connect(f"ws://127.0.0.1:{port}") as socket_:

        def ask(command: str, **params: object) -> Any:
            socket_.send(json.dumps({"id": command, "command": command, "params": params}))
            while "push" in (answer := json.loads(socket_.recv(timeout=30))):
                pushed.append(answer)
            assert answer["id"] == command
            return answer

        pushed: list[Any] = []
        assert ask("list_projects")["projects"][0]["session"] == "shop"
        assert ask("status", session="nobody")["error"] == "unknown_session"
        assert ask("nothing")["error"] == "unknown_command"
        assert ask("status", sesion="shop")["error"] == "bad_request"
        ask("subscribe", session="shop", events=["task_ready"], logs=["*"])
        assert ask("start", session="shop", task="a")["action"] == "started"
        assert ask("stop", session="shop", task="a")["action"] == "stopped"
    assert [push["task"] for push in pushed if push["push"] == "event"] == ["a"]
    assert "run 1 started" in next(push["text"] for push in pushed if push["push"] == "log")


def test_who_asks_and_goes_away_does_not_end_the_work(site: Site) -> None:
    site.write(
        "[tasks.a]\ncommand = \"trap '' INT; echo up; while :; do sleep 0.1; done\"\n"
        'ready_log = "up"\nstop_grace_period = 0.5\n'
    )
    site.ask("start")
    config = str(site.folder / "taskmux.toml")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.connect(str(site.home / "daemon.sock"))
        message = {"command": "restart", "params": {"config": config, "task": "a"}}
        gone.sendall(json.dumps(message).encode() + b"\n")
        site.await_event("session_started")
        while site.tasks()["a"]["state"] != "stopping":
            pass
    site.await_event("task_restarted")
    site.ask("wait", "a", "--timeout", "30")
    assert site.tasks()["a"]["run"] == 2


def test_the_last_of_contrary_wishes_counts(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    threads = [
        threading.Thread(target=site.call, args=(command, "a"))
        for command in ["restart", "stop", "start", "restart", "kill"] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site.ask("stop", "a")
    assert site.tasks()["a"]["state"] == "stopped"
    assert site.tasks()["b"]["state"] == "running"
    runs = [event for event in site.events("task_started") if event["task"] == "a"]
    exits = [event for event in site.events("task_exited") if event["task"] == "a"]
    assert len(runs) == len(exits)
