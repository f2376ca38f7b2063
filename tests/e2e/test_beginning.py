from __future__ import annotations

import json
import os
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.site import Site, ended, run_cli

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n[tasks.b]\ncommand = "exec sleep 1000"\n'


@pytest.mark.parametrize("delay", [0.1, 0.3, 0.6])
def test_a_first_command_that_is_killed_leaves_one_daemon_at_most(site: Site, delay: float) -> None:
    site.write(SLEEPER)
    call = run_cli(site, "status", "--json")
    with suppress(subprocess.TimeoutExpired):
        call.communicate(timeout=delay)  # whatever it is at just then
    call.kill()
    call.communicate()
    assert site.ask("status")["session"] == "shop"
    site.ask("daemon", "stop")
    for pid in site.left():
        ended(pid)
    assert site.left() == []


@pytest.mark.parametrize("kind", ["file", "folder", "fifo", "symlink"])
def test_what_is_in_the_way_of_the_socket_is_set_aside(site: Site, kind: str) -> None:
    site.write(SLEEPER)
    door = site.home / "daemon.sock"
    match kind:
        case "file":
            door.touch()
        case "folder":
            door.mkdir()
        case "fifo":
            os.mkfifo(door)
        case _:
            door.symlink_to("nowhere")
    assert site.ask("start")["ok"]
    assert stat.S_ISSOCK(door.lstat().st_mode)
    [aside] = site.home.glob("daemon.sock.corrupt-*")
    events = map(json.loads, (site.home / "events.jsonl").read_text().splitlines())
    damaged = [event["path"] for event in events if event["event"] == "state_damaged"]
    assert damaged == [str(aside)]


def test_a_home_whose_name_is_not_utf_8(site: Site, tmp_path: Path) -> None:
    site.write(SLEEPER)
    site.home = site.home.rename(tmp_path / os.fsdecode(b"\xff"))
    assert site.ask("start")["ok"]


def test_a_token_that_cannot_be_written_costs_the_websocket_alone(site: Site) -> None:
    site.write(SLEEPER)
    (site.home / "token").mkdir()
    assert site.ask("start")["ok"]
    report = site.ask("daemon", "status")
    assert report["api_port"] is None
    assert "token" in report["reason"]


@pytest.mark.parametrize("command", [("daemon",), ("status",)])
def test_a_lock_that_cannot_be_used_is_said_in_a_sentence(
    site: Site, command: tuple[str, ...]
) -> None:
    site.write(SLEEPER)
    (site.home / "daemon.lock").mkdir()
    status, answer = site.call(*command)
    assert (status, answer["error_code"]) == (3, "E306")
    assert "daemon.lock cannot be used" in answer["error"]
