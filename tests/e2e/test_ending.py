from __future__ import annotations

import json
import os
import signal
import socket
from typing import Any

import pytest

from taskmux.client.launch import outlasting
from tests.e2e.site import Site, run_cli

STUBBORN = (
    "[tasks.a]\ncommand = \"trap '' INT TERM; echo up; while :; do sleep 0.1; done\"\n"
    'ready_log = "up"\nstop_grace_period = 0.5\n'
)


def send(site: Site, command: str, **params: object) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.connect(str(site.home / "daemon.sock"))
    line.sendall(json.dumps({"command": command, "params": params}).encode() + b"\n")
    return line


def reply(line: socket.socket) -> Any:
    with line, line.makefile("rb") as incoming:
        return json.loads(incoming.readline())


def await_ending(site: Site) -> None:
    """Return once the daemon takes nothing new."""
    while reply(send(site, "status", session="shop")).get("error") != "daemon_ending":
        pass


def test_who_asks_for_the_end_and_goes_away_gets_it(site: Site) -> None:
    site.write(STUBBORN)
    site.ask("start")
    pid = site.daemon_pid()
    assert pid is not None
    with outlasting(pid):
        line = send(site, "shutdown")
        await_ending(site)
        line.close()
    assert site.left() == []


@pytest.mark.parametrize("by", ["request", "signal"])
def test_while_it_ends_nothing_new_begins_and_the_next_daemon_does_it(site: Site, by: str) -> None:
    site.write(STUBBORN)
    site.ask("start")
    pid = site.daemon_pid()
    assert pid is not None
    asked = None
    if by == "request":
        asked = send(site, "shutdown")
    else:
        os.kill(pid, signal.SIGTERM)
    await_ending(site)
    assert reply(send(site, "start", session="shop", task="a"))["error_code"] == "E308"
    assert site.ask("daemon", "status")["pid"] == pid
    assert site.ask("start", "a", "--if-stopped")["action"] == "started"
    assert site.daemon_pid() != pid
    if asked is not None:
        assert reply(asked)["ok"]


def test_a_start_under_way_is_told_of_the_end(site: Site) -> None:
    site.write('[tasks.a]\ncommand = "exec sleep 1000"\nready_log = "never"\n')
    call = run_cli(site, "start", "a", "--json")
    site.await_event("task_started")
    pid = site.daemon_pid()
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    answer = json.loads(call.communicate(timeout=50)[0])
    assert (call.returncode, answer["task"], answer["state"]) == (1, "a", "stopped")
