from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from taskmux.client.launch import outlasting
from taskmux.processes.model import MARKER
from tests.e2e.conftest import make_site
from tests.e2e.site import Site
from tests.faults.failpoints import KINDS, MOMENTS, TORN
from tests.faults.mortal import DEAF, TABLES, Model, Mortal, asleep, await_asleep, prove, work

SPREAD = (
    "state:within:4", "write:before:4", "write:within:13", "rename:before:11", "rename:after:8",
    "spawn:after:1", "spawn:after:6", "signal:before:2", "signal:after:4", "reap:before:3",
)  # fmt: skip
"""A registration, an event, a log, a restart, starts before they are written down, stops."""


def die(site: Site, point: str) -> bool:
    """Have the daemon die at a point of its work; return whether it came to that."""
    site.write(TABLES)
    model, daemon = Model(), Mortal(site, point)
    if daemon.ready:
        work(site, model)
    reached = daemon.end()
    prove(site, model)
    return reached


@pytest.mark.parametrize("point", SPREAD)
def test_whenever_it_dies_no_promise_is_broken(point: str, site: Site) -> None:
    assert die(site, point)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("kind", "moment"),
    [(k, m) for k in KINDS for m in MOMENTS if m != "within" or k in TORN],
)
def test_wherever_it_dies_no_promise_is_broken(kind: str, moment: str, tmp_path: Path) -> None:
    for number in count(1):
        site = make_site(tmp_path / str(number))
        try:
            reached = die(site, f"{kind}:{moment}:{number}")
        finally:
            site.end()
        if not reached:
            break
    assert number > 1


def kill_daemon(site: Site) -> None:
    pid = site.daemon_pid()
    assert pid is not None
    with outlasting(pid):
        os.kill(pid, signal.SIGKILL)


def task(command: str, more: str = "") -> str:
    return f'[tasks.a]\ncommand = "{DEAF}; {command}"\n{more}'


def test_a_hook_under_way_is_ended_before_it_is_run_again(site: Site) -> None:
    hook = f"{DEAF}; test -e second || exec sleep 1001"
    site.write(task("exec sleep 1002", f'hooks = {{ before_start = "{hook}" }}\n'))
    site.ask("start", "--no-wait")
    await_asleep(site.folder, 1001)
    kill_daemon(site)
    (site.folder / "second").touch()
    site.ask("wait", "a", "--timeout", "30")
    await_asleep(site.folder, 1002)


@pytest.mark.parametrize("lost", ["registry.json", "projects/shop/state.json"])
def test_what_it_left_is_ended_though_nothing_tells_of_it_any_more(site: Site, lost: str) -> None:
    site.write(task("setsid sleep 1001 & exec sleep 1002"))
    site.ask("start")
    await_asleep(site.folder, 1001, 1002)
    kill_daemon(site)
    (site.home / lost).unlink()
    site.ask("daemon", "start")
    assert asleep(site.folder) == []


def test_what_dropped_its_environment_is_ended_too(site: Site) -> None:
    site.write(task("setsid env -i sleep 1001 & exec env -i sleep 1002"))
    site.ask("start")
    await_asleep(site.folder, 1001, 1002)
    kill_daemon(site)
    (site.home / "projects" / "shop" / "state.json").unlink()
    site.ask("daemon", "start")
    assert asleep(site.folder) == []


@pytest.fixture
def strangers() -> Iterator[list[subprocess.Popen[bytes]]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for process in found:
        process.kill()
        process.wait()


def stranger(folder: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["sleep", "1009"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        start_new_session=True,
    )


def test_a_marker_of_another_home_is_none_of_ours(
    site: Site, tmp_path: Path, strangers: list[subprocess.Popen[bytes]]
) -> None:
    site.write(task("exec sleep 1001"))
    site.ask("start")
    other = make_site(tmp_path / "other")
    try:
        other.write(task("exec sleep 1002"))
        other.ask("start")
        theirs = environ_of(other.tasks()["a"]["pid"])
        strangers.append(stranger(site.folder, {MARKER: theirs[MARKER]}))
        strangers.append(stranger(site.folder, theirs))
        kill_daemon(site)
        site.ask("wait", "a", "--timeout", "30")
        await_asleep(site.folder, 1001, 1009, 1009)
        assert (other.tasks()["a"]["state"], other.tasks()["a"]["run"]) == ("running", 1)
    finally:
        for process in strangers:
            process.kill()
        other.end()


def environ_of(pid: int) -> dict[str, str]:
    words = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(word.split("=", 1) for word in words if word)


def test_a_number_that_was_used_again_is_a_strangers(
    site: Site, strangers: list[subprocess.Popen[bytes]]
) -> None:
    site.write(task("exec sleep 1001"))
    site.ask("start")
    await_asleep(site.folder, 1001)
    kill_daemon(site)
    strangers.append(stranger(site.folder, {}))
    state = site.home / "projects" / "shop" / "state.json"
    memory: dict[str, Any] = json.loads(state.read_text())
    memory["tasks"]["a"]["child"]["pid"] = strangers[0].pid
    state.write_text(json.dumps(memory))
    site.ask("wait", "a", "--timeout", "30")
    await_asleep(site.folder, 1001, 1009)


def test_its_death_over_a_stop_is_no_end_of_anything(site: Site) -> None:
    site.write(task("exec sleep 1001"))
    daemon = Mortal(site, "signal:before:1")
    site.ask("start")
    await_asleep(site.folder, 1001)
    assert site.ask("daemon", "stop")["running"] is False
    assert daemon.end()
    assert asleep(site.folder) == []
    assert site.tasks()["a"]["state"] == "stopped"


def test_a_lost_lock_makes_no_second_daemon(site: Site) -> None:
    site.write(task("exec sleep 1001"))
    site.ask("start")
    (site.home / "daemon.lock").unlink()
    status, answer = site.call("daemon")
    assert (status, answer["error_code"]) == (3, "E306")
    assert site.tasks()["a"]["run"] == 1
