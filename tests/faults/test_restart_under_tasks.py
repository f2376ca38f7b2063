from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from taskmux import wire
from taskmux.client import Client
from taskmux.client.launch import launch, outlasting
from taskmux.paths import door
from tests.e2e.site import Site, ended, run_cli

COUNTER = """
[tasks.counter]
command = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.001; done"
"""

SLEEPER = """
[tasks.sleeper]
command = "exec sleep 1000"
"""


def restart(site: Site) -> dict[str, Any]:
    """Restart the daemon under its tasks; return who it is then."""
    before = site.ask("daemon", "status")
    after: dict[str, Any] = site.ask("daemon", "restart")
    assert after["pid"] == before["pid"]
    assert after["started_at"] > before["started_at"]
    return after


def kept(site: Site) -> list[int]:
    """Return how many processes each restart has kept."""
    lines = (site.home / "events.jsonl").read_text().splitlines()
    found = [event for line in lines if (event := json.loads(line))["event"] == "daemon_started"]
    return [event["kept"] for event in found if "kept" in event]


@contextmanager
def asking(site: Site) -> Iterator[list[object]]:
    """Ask the daemon how it is again and again meanwhile; yield what went wrong."""
    wrong: list[object] = []
    enough = threading.Event()
    client = Client(door(site.home))

    def ask() -> None:
        while not enough.is_set():
            try:
                client.status(wire.Status(session="shop"))
            except Exception as error:  # noqa: BLE001 (all of them are told)
                wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_processes_and_their_output_go_on(site: Site) -> None:
    site.write(COUNTER + SLEEPER)
    site.ask("start")
    before = site.tasks()
    for _ in range(5):
        restart(site)
    after = site.tasks()
    for name in before:
        for field in ("pid", "port", "run", "started_at"):
            assert after[name][field] == before[name][field]
        assert after[name]["state"] == "running"
    assert kept(site) == [2] * 5
    site.ask("stop")
    lines = site.ask("logs", "counter", "-n", "1000000")["lines"]
    said = [line.split()[1] for line in lines if line.split()[1] != "[taskmux]"]
    assert said == [str(number) for number in range(1, len(said) + 1)]


def test_nobody_who_asks_meanwhile_is_refused(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    with asking(site) as wrong:
        for _ in range(5):
            restart(site)
    assert wrong == []


def test_who_waits_for_a_task_goes_on_waiting(site: Site) -> None:
    site.write(
        '[tasks.late]\ncommand = "until test -e go; do sleep 0.05; done; echo up; sleep 1000"\n'
        'ready_log = "up"\n'
    )
    site.ask("start", "--no-wait")
    with run_cli(site, "wait", "late", "--timeout", "60", "--json") as waiting:
        restart(site)
        assert waiting.poll() is None
        (site.folder / "go").touch()
        out, _ = waiting.communicate(timeout=30)
    assert json.loads(out)["ok"]


@pytest.mark.parametrize("command", ["start", "restart"])
def test_who_waits_for_a_start_goes_on_waiting(site: Site, command: str) -> None:
    site.write(
        '[tasks.late]\ncommand = "echo begun; read line <go; echo up; sleep 1000"\n'
        'ready_log = "up"\nauto_start = false\n'
    )
    os.mkfifo(site.folder / "go")
    with run_cli(site, command, "late", "--json") as asking:
        site.await_event("task_started")
        restart(site)
        assert asking.poll() is None
        (site.folder / "go").write_text("on")
        out, _ = asking.communicate(timeout=30)
    answer = json.loads(out)
    assert (answer["ok"], answer["action"], answer["state"]) == (True, f"{command}ed", "running")
    assert site.tasks()["late"]["run"] == 1


def test_who_waits_for_a_start_that_fails_is_told_so(site: Site) -> None:
    site.write('[tasks.late]\ncommand = "read line <go; exit 7"\nready_log = "up"\n'
               'restart_policy = "no"\n')  # fmt: skip
    os.mkfifo(site.folder / "go")
    with run_cli(site, "start", "late", "--json") as asking:
        site.await_event("task_started")
        restart(site)
        (site.folder / "go").write_text("on")
        out, _ = asking.communicate(timeout=30)
    answer = json.loads(out)
    assert (answer["ok"], answer["error_code"], answer["state"]) == (False, "E217", "failed")


def test_an_exit_that_nobody_saw_is_seen(site: Site) -> None:
    site.write('[tasks.brief]\ncommand = "sleep 0.2; exit 7"\nmax_restarts = 1000\n'
               'restart_backoff = 0\n')  # fmt: skip
    site.ask("start")
    for _ in range(5):
        restart(site)
    site.ask("stop")
    runs = [event["run"] for event in site.events("task_started")]
    assert runs == list(range(1, len(runs) + 1))
    statuses = {event.get("exit_code") for event in site.events("task_exited")}
    assert statuses <= {7, None}
    assert site.left() == [site.daemon_pid()]


def test_a_task_that_waits_still_starts_after_what_it_waits_for(site: Site) -> None:
    site.write(
        '[tasks.first]\ncommand = "until test -e go; do sleep 0.05; done; echo up; sleep 1000"\n'
        'ready_log = "up"\n[tasks.second]\ncommand = "exec sleep 1000"\ndepends_on = ["first"]\n'
    )
    site.ask("start", "--no-wait")
    restart(site)
    assert site.tasks()["second"]["state"] == "waiting"
    (site.folder / "go").touch()
    site.ask("wait", "second", "--timeout", "30")
    assert site.tasks()["second"]["state"] == "running"


def test_a_task_in_backoff_is_restarted_when_it_is_due(site: Site) -> None:
    site.write('[tasks.it]\ncommand = "test -e ok && exec sleep 1000; exit 3"\n'
               'restart_backoff = 1\n')  # fmt: skip
    site.ask("start", "--no-wait")
    site.await_event("auto_restart")
    (site.folder / "ok").touch()
    restart(site)
    site.ask("wait", "it", "--timeout", "30")
    assert site.tasks()["it"]["restarts"] >= 1


def test_what_comes_back_without_a_stopped_dependency_still_does(site: Site) -> None:
    site.write(
        '[tasks.db]\ncommand = "exec sleep 1000"\n'
        '[tasks.slow]\ncommand = "read line <go; echo up; sleep 1000"\nready_log = "up"\n'
        '[tasks.web]\ncommand = "exec sleep 1000"\ndepends_on = ["db", "slow"]\n'
    )
    os.mkfifo(site.folder / "go")
    with run_cli(site, "start", "--json") as starting:
        (site.folder / "go").write_text("on")
        starting.communicate(timeout=30)
    site.ask("stop", "db")
    pid = site.daemon_pid()
    assert pid is not None
    with outlasting(pid):
        os.kill(pid, signal.SIGKILL)
    assert site.tasks()["web"]["state"] == "waiting"
    restart(site)
    (site.folder / "go").write_text("on")
    site.ask("wait", "web", "--timeout", "30")
    assert {name: task["state"] for name, task in site.tasks().items()} == {
        "db": "stopped", "slow": "running", "web": "running",
    }  # fmt: skip


def test_a_line_that_has_begun_is_finished(site: Site) -> None:
    site.write('[tasks.it]\ncommand = "printf one; until test -e go; do sleep 0.05; done; '
               'echo two; sleep 1000"\nready_log = "two"\n')  # fmt: skip
    site.ask("start", "--no-wait")
    site.await_event("task_started")
    restart(site)
    (site.folder / "go").touch()
    site.ask("wait", "it", "--timeout", "30")
    assert "".join(site.lines("it")) == "onetwo"


def test_a_health_check_under_way_is_ended_and_asked_again(site: Site) -> None:
    site.write(
        '[tasks.it]\ncommand = "exec sleep 1000"\nhealth_interval = 0.1\nhealth_timeout = 60\n'
        'health_check = "test -e well || { echo >asked; sleep 1000; }"\n'
    )
    os.mkfifo(site.folder / "asked")
    site.ask("start", "--no-wait")
    (site.folder / "asked").read_text()
    (site.folder / "well").touch()
    restart(site)
    site.ask("wait", "it", "--timeout", "30")
    assert len(site.left()) <= 3  # the daemon, the task, and perhaps a check


def test_a_stop_and_its_hooks_are_waited_for(site: Site) -> None:
    site.write(
        SLEEPER + '[tasks.sleeper.hooks]\nbefore_stop = "echo >begun; sleep 0.5; touch hooked"\n'
    )
    os.mkfifo(site.folder / "begun")
    site.ask("start")
    with run_cli(site, "stop", "--json") as stopping:
        (site.folder / "begun").read_text()
        restart(site)
        out, _ = stopping.communicate(timeout=30)
    assert json.loads(out)["ok"]
    assert (site.folder / "hooked").exists()
    assert site.tasks()["sleeper"]["state"] == "stopped"


def test_what_takes_too_long_is_named_and_nothing_changes(site: Site) -> None:
    hook = '[tasks.sleeper.hooks]\nbefore_stop = "echo >begun; cat go"\n'
    for pipe in ("begun", "go"):
        os.mkfifo(site.folder / pipe)
    site.write(SLEEPER + hook)
    site.ask("start")
    with run_cli(site, "stop", "--json") as stopping:
        (site.folder / "begun").read_text()
        status, answer = site.call("daemon", "restart")
        assert (status, answer["error_code"]) == (1, "E310")
        assert answer["waits_for"] == ["shop: sleeper (running before_stop)"]
        (site.folder / "go").write_text("")
        out, _ = stopping.communicate(timeout=30)
    assert json.loads(out)["ok"]
    assert kept(site) == []


def test_what_the_tasks_were_started_from_stays_known(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    site.write(SLEEPER.replace("1000", "2000"))
    site.await_event("config_reloaded")
    restart(site)
    site.write(SLEEPER.replace("1000", "1000"))
    site.ask("daemon", "list")
    reloaded = site.await_event("config_reloaded", site.events("config_reloaded")[0]["seq"])
    assert reloaded["restart_needed"] == []  # it runs as it is declared again


def test_where_the_tasks_were_started_stays_known(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    was, moved = site.folder, site.folder.with_name("moved")
    site.folder = was.rename(moved)
    before = site.tasks()["sleeper"]
    assert before["restart_needed"]
    restart(site)
    after = site.tasks()["sleeper"]
    assert (after["pid"], after["restart_needed"]) == (before["pid"], True)
    site.folder = moved.rename(was)
    assert not site.tasks()["sleeper"]["restart_needed"]  # it runs where it would start again


def test_a_file_that_broke_meanwhile_costs_nobody_anything(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    pid = site.tasks()["sleeper"]["pid"]
    (site.folder / "taskmux.toml").write_text("broken = = 1\n")
    site.await_event("config_error")
    restart(site)
    answer = site.ask("--project", "shop", "status")
    assert answer["state"] == "error"
    assert [task["pid"] for task in answer["tasks"]] == [pid]
    assert site.ask("--project", "shop", "stop")["ok"]


def test_a_project_that_could_not_be_written_down_is_kept(site: Site) -> None:
    site.write(SLEEPER)
    launch(site.home, site.environ)  # and nothing is wrong with its registry so far
    registry = site.home / "registry.json"
    registry.mkdir()
    site.ask("start")
    assert site.ask("status")["warnings"]
    pid = site.tasks()["sleeper"]["pid"]
    restart(site)
    answer = site.ask("--project", "shop", "status")
    assert [task["pid"] for task in answer["tasks"]] == [pid]
    assert json.loads(registry.read_text()) == {"shop": str(site.folder / "taskmux.toml")}


def test_events_that_could_not_be_written_are_not_lost(site: Site) -> None:
    launch(site.home, site.environ)
    history = site.home / "events.jsonl"
    history.rename(site.home / "away")
    history.mkdir()
    site.write(SLEEPER)
    site.ask("start")
    restart(site)
    kinds = [event["event"] for event in site.events()]
    assert kinds == ["project_registered", "session_started", "task_started", "task_ready"]
    seqs = [json.loads(line)["seq"] for line in history.read_text().splitlines()]
    assert seqs == list(range(2, len(seqs) + 2))


def test_a_version_that_cannot_take_over_is_not_given_anything(site: Site, tmp_path: Path) -> None:
    start_with(site, tmp_path / "path")
    site.write(SLEEPER)
    site.ask("start")
    broken = tmp_path / "path" / "sitecustomize.py"
    broken.write_text("raise SystemExit('out of order')")
    status, answer = site.call("daemon", "restart")
    broken.unlink()
    assert (status, answer["error_code"]) == (1, "E311")
    assert site.tasks()["sleeper"]["state"] == "running"
    assert site.tasks()["sleeper"]["run"] == 1
    restart(site)
    assert site.tasks()["sleeper"]["run"] == 1


def test_what_could_not_go_on_is_found_before_it_is_tried(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    before = site.tasks()["sleeper"]
    site.ask("config", "set", "plugins.disabled", "probes")
    status, answer = site.call("daemon", "restart")
    assert (status, answer["error_code"]) == (1, "E311")
    assert answer["log"] == ["no plugin offers the health probe for task 'sleeper'"]
    assert site.tasks()["sleeper"]["pid"] == before["pid"]
    site.ask("config", "set", "plugins.disabled", "")
    restart(site)
    assert site.tasks()["sleeper"]["pid"] == before["pid"]


def test_a_version_that_dies_taking_over_leaves_nothing_twice(site: Site, tmp_path: Path) -> None:
    start_with(site, tmp_path / "path")
    site.write(SLEEPER)
    site.ask("start")
    pid, daemon = site.tasks()["sleeper"]["pid"], site.daemon_pid()
    assert daemon is not None
    (tmp_path / "path" / "sitecustomize.py").write_text(
        "import os, sys\nif '--carried-fd' in sys.orig_argv: os._exit(1)\n"
    )
    answer = site.ask("daemon", "restart")
    assert answer["pid"] != daemon
    site.ask("wait", "sleeper", "--timeout", "30")
    assert site.tasks()["sleeper"]["run"] == 2
    ended(pid)
    assert len(site.left()) == 2


def start_with(site: Site, path: Path) -> None:
    """Start a daemon that finds modules in `path`."""
    path.mkdir()
    launch(site.home, site.environ | {"PYTHONPATH": str(path)})


def test_the_websocket_stays_where_it_is_and_knows_its_token(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    port = site.ask("daemon", "status")["api_port"]
    token = (site.home / "token").read_text()
    assert restart(site)["api_port"] == port
    assert (site.home / "token").read_text() == token
    with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
        client.send(json.dumps({"id": 7, "command": "status", "params": {"session": "shop"}}))
        assert json.loads(client.recv(timeout=30))["id"] == 7


def test_a_websocket_that_could_not_be_opened_gets_a_token_when_it_is(site: Site) -> None:
    (site.home / "token").mkdir()
    site.write(SLEEPER)
    site.ask("start")
    assert site.ask("daemon", "status")["api_port"] is None
    _, said, _ = site.people("daemon", "status")
    assert said.splitlines()[-1].startswith("  no WebSocket: its token cannot be used: ")
    (site.home / "token").rmdir()
    assert restart(site)["api_port"] is not None
    assert len((site.home / "token").read_text().strip()) >= 32


def test_the_websocket_moves_if_asked_to(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    before = site.ask("daemon", "status")["api_port"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert site.ask("daemon", "restart", "--port", str(port))["api_port"] == port
    assert restart(site)["api_port"] == port  # and stays there
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", before)).close()


def test_it_is_still_the_only_daemon_and_ends_well(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    pid = restart(site)["pid"]
    status, answer = site.call("daemon")
    assert (status, answer["error_code"]) == (3, "E306")
    os.kill(pid, signal.SIGTERM)
    ended(pid)
    assert site.left() == []


def test_no_descriptor_is_left_open_and_no_limit_changed(site: Site) -> None:
    site.write('[tasks.it]\ncommand = "ulimit -S -n; umask; exec sleep 1000"\n')
    site.ask("start")
    pid = restart(site)["pid"]
    before = open_files(site, pid)
    for _ in range(3):
        restart(site)
    assert open_files(site, pid) == before
    site.ask("restart", "it")
    files, umask, *again = site.lines("it")
    assert again == [files, umask]


def open_files(site: Site, pid: int) -> list[str]:
    """Return what the daemon has open, by kind; connections of this moment left out."""
    site.call("doctor")  # answers when the daemon's plugins are at work
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(entry.readlink()).partition(":")[0])
        except FileNotFoundError:
            continue
    return sorted(kind for kind in found if kind != "socket")


def test_one_in_the_foreground_stays_there(site: Site) -> None:
    site.write(SLEEPER)
    with run_cli(site, "daemon") as daemon:
        assert daemon.stderr is not None
        assert any(b"ready: pid " in line for line in daemon.stderr)
        site.ask("start")
        assert restart(site)["pid"] == daemon.pid
        assert site.tasks()["sleeper"]["run"] == 1
        daemon.send_signal(signal.SIGINT)
        daemon.communicate(timeout=30)
        assert daemon.returncode == 0
    assert site.left() == []
