from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest

from taskmux.client.launch import outlasting
from taskmux.processes import new_marker
from tests.e2e.site import Site, ended

LISTEN = """
import signal, socket, sys, time
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
door = socket.create_server((sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1", int(sys.argv[1])))
print(door.getsockname()[1], flush=True)
while True:
    time.sleep(1000)
"""
SERVER = """
command = "exec python3 -m http.server $PORT --bind 127.0.0.1"
host = "web"
"""
ELSEWHERE = """
command = "exec python3 -u -m http.server 0 --bind 127.0.0.1"
health_interval = 0.2
"""
STUBBORN = """
command = "exec python3 listen.py $PORT"
host = "web"
stop_grace_period = 0.1
"""


@contextmanager
def stranger(
    port: int, address: str = "127.0.0.1", environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run somebody else who listens on a port; it must still be there in the end."""
    command = [sys.executable, "-c", LISTEN, str(port), address]
    ours = {"PATH": os.environ["PATH"], **(environ or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ours) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"%d\n" % port
            yield process
            assert process.poll() is None
        finally:
            process.kill()


def port_of(site: Site, task: str = "web") -> int:
    port = site.tasks()[task]["port"]
    assert isinstance(port, int)
    return port


def crash(site: Site) -> None:
    pid = site.daemon_pid()
    assert pid is not None
    with outlasting(pid):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def gone_after(pid: int) -> Iterator[None]:
    """End a process that we did not start in the end, if nobody did before."""
    handle = os.pidfd_open(pid)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def reason_of(site: Site, answer: str) -> str:
    """Return what the answer to a command says of why the task is as it is."""
    match answer:
        case "status":
            return str(site.tasks()["web"]["reason"])
        case "health":
            [row] = site.ask("health")["tasks"]
            return str(row["reason"])
    return str(site.ask("inspect", "web")["task"]["reason"])


@pytest.mark.parametrize("probe", ['host = "web"', 'health_url = "http://localhost:$PORT/"'])
def test_a_task_that_listens_elsewhere_is_told_so(site: Site, probe: str) -> None:
    site.write(f"[tasks.web]\n{probe}\n{ELSEWHERE}")
    assert site.ask("start", "web", "--no-wait")["action"] == "requested"
    while "listening on" not in reason_of(site, "status"):
        assert site.tasks()["web"]["state"] == "starting"
    [real] = site.ask("inspect", "web")["listening"]
    said = f"listening on {real}, expected {port_of(site)}"
    for command in ("status", "health", "inspect"):
        assert reason_of(site, command) == f"not ready yet: {said}"


def test_one_that_is_ready_by_its_output_is_told_too(site: Site) -> None:
    elsewhere = ELSEWHERE.replace("0.2", "1.1") + 'restart_policy = "no"\n'
    site.write(f'[tasks.web]\nhost = "web"\nready_log = "Serving"\n{elsewhere}')
    assert site.ask("start", "web")["state"] == "running"
    reason = site.await_event("health_check_failed")["reason"]
    [real] = site.ask("inspect", "web")["listening"]
    assert reason == f"listening on {real}, expected {port_of(site)}"
    assert reason_of(site, "status").startswith(f"{reason} (")


def test_a_port_sticks_to_its_task_whatever_happens(site: Site) -> None:
    site.write(f"[tasks.web]\n{SERVER}[tasks.api]\n{SERVER.replace('web', 'api')}")
    site.ask("start")
    ports = {name: task["port"] for name, task in site.tasks().items()}
    assert len(set(ports.values())) == 2
    for command in (["restart"], ["kill", "web"], ["start", "web"], ["daemon", "restart"]):
        site.ask(*command)
        assert {name: task["port"] for name, task in site.tasks().items()} == ports
    crash(site)
    assert {name: task["port"] for name, task in site.tasks().items()} == ports
    assert not site.events("port_conflict")


def conflict(site: Site) -> dict[str, Any]:
    [event] = site.events("port_conflict")
    return event


def named(event: dict[str, Any], holder: int, port: int, became: str) -> None:
    assert (event["port"], event["holder_pid"]) == (port, holder)
    assert "signal.SIG_IGN" in event["holder_command"] or "listen.py" in event["holder_command"]
    assert event["reason"].startswith(f"port {port} is held by pid {holder} (")
    assert event["reason"].endswith(f"): {became}")


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_stranger_on_the_port_is_named_and_left_alone(site: Site, address: str) -> None:
    site.write(f"[tasks.web]\n{SERVER}")
    port = port_of(site)
    with stranger(port, address) as other:
        assert site.ask("start", "web")["state"] == "running"
        instead = port_of(site)
        assert instead != port
        named(conflict(site), other.pid, port, f"web gets {instead}")
        assert conflict(site)["taken_instead"] == instead


def test_a_stranger_who_came_while_there_was_no_daemon_is_named(site: Site) -> None:
    site.write(f"[tasks.web]\n{SERVER}")
    port = port_of(site)
    site.ask("daemon", "stop")
    with stranger(port) as other:
        instead = port_of(site)
        named(conflict(site), other.pid, port, f"web gets {instead}")


def test_a_task_of_another_home_is_a_stranger(site: Site) -> None:
    site.write(f"[tasks.web]\n{SERVER}")
    port = port_of(site)
    environ = {
        "TASKMUX_HOME": str(site.home), "TASKMUX_SESSION": "shop", "TASKMUX_TASK": "web",
        "TASKMUX_RUN_ID": str(uuid4()),
    }  # fmt: skip
    with stranger(port, environ=environ) as other:
        assert site.ask("start", "web")["state"] == "running"
        assert conflict(site)["holder_pid"] == other.pid


def test_another_task_that_listens_on_the_port_is_not_ended(site: Site) -> None:
    (site.folder / "listen.py").write_text(LISTEN)
    site.write(f"[tasks.web]\n{SERVER}")
    port = port_of(site)
    intruder = STUBBORN.replace("$PORT", str(port)).replace('host = "web"', f'ready_log = "{port}"')
    site.write(f"[tasks.web]\n{SERVER}[tasks.other]\n{intruder}")
    site.ask("daemon", "restart")
    site.ask("start", "other")
    pid = site.tasks()["other"]["pid"]
    assert site.ask("start", "web")["state"] == "running"
    assert site.tasks()["other"]["pid"] == pid
    named(conflict(site), pid, port, f"web gets {port_of(site)}")


@pytest.mark.parametrize("forgotten", [True, False], ids=["forgotten", "known"])
def test_what_a_crashed_daemon_left_is_ended_and_the_port_kept(site: Site, forgotten: bool) -> None:
    (site.folder / "listen.py").write_text(LISTEN)
    site.write(f"[tasks.web]\n{STUBBORN}")
    site.ask("start", "web")
    task = site.tasks()["web"]
    with gone_after(task["pid"]):
        crash(site)
        if forgotten:
            for state in site.home.rglob("*.json"):
                state.unlink()
        site.ask("start", "web", "--if-stopped")
        ended(task["pid"])
    assert port_of(site) == task["port"]
    assert site.tasks()["web"]["pid"] != task["pid"]
    assert site.events("port_conflict") == []


def test_what_comes_to_light_only_at_a_start_is_ended_then(site: Site) -> None:
    site.write(f"[tasks.web]\n{SERVER}")
    port = port_of(site)
    left = {
        "PATH": os.environ["PATH"], "TASKMUX_SESSION": "shop",
        "TASKMUX_RUN_ID": new_marker(site.home),
    }  # fmt: skip
    command = [sys.executable, "-c", LISTEN, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=left) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            assert site.ask("start", "web")["state"] == "running"
            assert process.wait(10) == -signal.SIGKILL
        finally:
            process.kill()
    assert port_of(site) == port
    named(conflict(site), process.pid, port, "left by an earlier run, and ended")
