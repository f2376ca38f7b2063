"""Whatever runs out, tasks go on; what it costs is said, and comes back by itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from taskmux.address import reachable
from tests.e2e.site import QUIET, Site
from tests.faults.ground import (
    AS_READER,
    AS_USER,
    Daemon,
    begin,
    hand_over,
    held,
    mounted,
    needs,
    open_to_user,
    outcome,
    settled,
    tmpfs,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of others are Linux's")

TALKS = """
[tasks.talks]
command = "while sleep 0.02; do echo said; done"
"""
SLEEPS = """
[tasks.sleeps]
command = "exec sleep 1000"
restart_backoff = 1
"""
ASKED = """
[tasks.asked]
command = "exec sleep 1000"
health_check = "true"
health_interval = 0.05
health_retries = 1
"""
LATER = """
[tasks.later]
command = "exec sleep 1000"
auto_start = false
restart_policy = "no"
"""


def pids(site: Site) -> dict[str, int]:
    return {name: task["pid"] for name, task in site.tasks().items()}


def kinds(site: Site) -> list[str]:
    return [event["event"] for event in site.events()]


def remembered(site: Site) -> dict[str, Any]:
    tasks: dict[str, Any] = json.loads((site.home / "projects/shop/state.json").read_bytes())
    return {name: task["state"] for name, task in tasks["tasks"].items()}


# A disk without room.


@contextmanager
def small_disk(home: Path) -> Iterator[tuple[Path, Callable[[], None], Callable[[], None]]]:
    """Yield a home of 256 KiB, what fills it, and what makes room again."""
    with tmpfs(home, "256k") as inside:
        ballast = inside / "ballast"

        def fill() -> None:
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(4096)):
                    pass

        yield inside, fill, ballast.unlink


@pytest.fixture(params=["tmpfs", "limit"])
def disk(request: pytest.FixtureRequest, site: Site) -> Iterator[Any]:
    """A site, what leaves its daemon no room to write, and what gives it room again."""
    if request.param == "limit":
        with ExitStack() as limits:

            def no_room() -> None:
                limits.enter_context(Daemon(site.daemon_pid() or 0).limited("fsize", 0))

            yield site, no_room, limits.close
        return
    with small_disk(site.home) as (inside, fill, empty):
        (inside / "config.toml").write_text(QUIET)
        (inside / "config.toml").chmod(0o600)
        there = Site(inside, site.folder)
        try:
            yield there, fill, empty
        finally:
            there.end()


def test_a_full_disk_costs_what_is_written_and_nothing_else(disk: Any) -> None:
    site, fill, empty = disk
    site.write(TALKS + SLEEPS + LATER)
    site.ask("start")
    before, known = pids(site), remembered(site)
    fill()

    # Tasks go on, and may be started, restarted and stopped.
    assert site.ask("start", "later")["state"] == "running"
    os.kill(before["sleeps"], signal.SIGKILL)
    settled(site, lambda now: now["tasks"][1]["run"] == 2 and now["tasks"][1]["healthy"])
    while "events are not written" not in " ".join(site.ask("status")["warnings"]):
        site.ask("restart", "later")  # its page has room for some
    report = settled(site, lambda now: now["tasks"][0]["events"]["lines_dropped"] > 0)
    assert pids(site)["talks"] == before["talks"]

    # What it costs is said, and what is on disk is what it was.
    said = " ".join(report["warnings"])
    for what in ("events are not written down yet", "what runs is not saved", "output of talks"):
        assert what in said
    assert "Output of talks is dropped" in site.people("status")[1]
    assert remembered(site) == known
    assert site.ask("inspect", "talks")["task"]["events"]["lines_dropped"] > 0

    # With room it is made good, and told.
    empty()
    dropped = site.await_event("log_lines_dropped", task="talks")
    site.await_event("state_saved")
    found = site.ask("logs", "talks", "-g", f"{dropped['count']} lines dropped: ")["lines"]
    assert len(found) == 1
    numbers = [event["seq"] for event in site.events()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert kinds(site).count("state_not_saved") == 1
    report = settled(site, lambda now: not now["warnings"])
    assert report["tasks"][0]["events"]["lines_dropped"] == dropped["count"]
    assert remembered(site)["later"] == "running"
    assert pids(site)["talks"] == before["talks"]


def test_a_daemon_starts_on_a_full_disk(site: Site) -> None:
    with small_disk(site.home) as (inside, fill, empty):
        there = Site(inside, site.folder)
        there.write(SLEEPS)
        try:
            fill()
            assert there.ask("start", "sleeps")["state"] == "running"
            assert any("projects is not saved" in said for said in there.ask("status")["warnings"])
            empty()
            settled(there, lambda now: not now["warnings"])
            assert list(json.loads((inside / "registry.json").read_bytes())) == ["shop"]
        finally:
            there.call("daemon", "stop")  # its pid was not written down
            there.end()


# Descriptors.


def test_without_room_for_more_descriptors_nothing_is_blamed_on_a_task(site: Site) -> None:
    site.write(SLEEPS + ASKED + LATER)
    site.ask("start")
    daemon = Daemon(site.daemon_pid() or 0)
    before = pids(site)
    with daemon.limited("nofile", daemon.files(left=9)):  # eight it leaves for itself
        # A probe that cannot be asked has not failed.
        report = settled(site, lambda now: now["tasks"][1]["reason"].startswith("not asked: "))
        assert report["tasks"][1]["healthy"]
        assert "may not open more files" in report["tasks"][1]["reason"]
        # What cannot be made is refused, and why.
        status, answer = site.call("start", "later")
        assert (status, answer["error_code"]) == (1, "E215")
        assert "may not open more files" in answer["error"]
        assert "limit" in answer["hint"]
    settled(site, lambda now: not now["tasks"][1]["reason"].startswith("not asked"))
    assert site.ask("start", "later")["state"] == "running"
    assert {name: pids(site)[name] for name in ("sleeps", "asked")} == {
        name: before[name] for name in ("sleeps", "asked")
    }
    assert "health_check_failed" not in kinds(site)


def test_without_any_descriptor_a_task_that_ends_is_waited_for(site: Site) -> None:
    site.write(TALKS + SLEEPS + ASKED)
    site.ask("start")
    daemon = Daemon(site.daemon_pid() or 0)
    before = pids(site)
    lines = len(site.lines("talks"))
    with daemon.limited("nofile", daemon.files(left=0)):
        os.kill(before["sleeps"], signal.SIGKILL)
        while len(site.lines("talks")) < lines + 50:  # a second, and it is still listened to
            pass
    site.await_event("auto_restart")
    settled(site, lambda now: all(task["healthy"] for task in now["tasks"]))
    assert {**pids(site), "sleeps": 0} == {**before, "sleeps": 0}
    assert site.daemon_pid() == daemon.pid
    assert "health_check_failed" not in kinds(site)


def test_idle_clients_cannot_take_the_descriptors_of_tasks(site: Site) -> None:
    site.write(SLEEPS + ASKED)
    begin(site, "prlimit", "--nofile=64:64")
    before = pids(site) if site.ask("start")["ok"] else {}
    with ExitStack() as stack, reachable(site.home / "daemon.sock") as name:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(60)]
        for client in clients:
            client.connect(name)
        status, answer = site.call("status")
        assert (status, answer["error_code"]) == (1, "E800")
        assert "connections are open already" in answer["error"]
        os.kill(before["sleeps"], signal.SIGKILL)
        site.await_event("auto_restart")
        site.await_event("task_ready", after=site.await_event("auto_restart")["seq"])
    report = settled_once_let_in(site)
    assert all(task["healthy"] for task in report["tasks"])
    assert pids(site)["asked"] == before["asked"]
    assert "health_check_failed" not in kinds(site)


def settled_once_let_in(site: Site) -> Any:
    while (answer := site.call("status"))[0] != 0:
        time.sleep(0.02)
    return answer[1]


# Processes.


@pytest.fixture
def theirs() -> Iterator[Site]:
    with open_to_user() as site:
        yield site


def start_as(user: list[str], site: Site) -> Daemon:
    hand_over(site)
    return Daemon(begin(site, *user), user=True)


def test_a_full_process_table_is_waited_out(theirs: Site) -> None:
    theirs.write(TALKS + SLEEPS + ASKED + LATER)
    daemon = start_as(AS_READER, theirs)
    theirs.ask("start")
    before = pids(theirs)
    with daemon.limited("nproc", 1):
        report = settled(theirs, lambda now: now["tasks"][2]["reason"].startswith("not asked: "))
        assert report["tasks"][2]["healthy"]
        os.kill(before["sleeps"], signal.SIGKILL)
        first = theirs.await_event("restart_scheduled")
        again = theirs.await_event("restart_scheduled", after=first["seq"])
        assert "the system makes no more processes" in again["reason"]
        assert again["delay"] == 1
        status, answer = theirs.call("start", "later")
        assert (status, answer["error_code"]) == (1, "E215")
        assert "the system makes no more processes" in answer["error"]
    theirs.await_event("task_ready", after=again["seq"])
    settled(theirs, lambda now: all(task["healthy"] for task in now["tasks"][:3]))
    assert {**pids(theirs), "sleeps": 0} == {**before, "sleeps": 0}
    assert "health_check_failed" not in kinds(theirs)
    assert theirs.ask("start", "later")["state"] == "running"


def test_a_daemon_that_cannot_be_made_is_an_error_in_words(theirs: Site) -> None:
    theirs.write(SLEEPS)
    hand_over(theirs)
    start = [sys.executable, "-m", "taskmux", "start", "--json"]
    command = [*AS_READER, "prlimit", "--nproc=1", *start]
    done = subprocess.run(command, cwd=theirs.folder, env=theirs.environ, capture_output=True)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["error_code"]) == (3, "E306")
    assert "the system makes no more processes" in answer["error"]
    assert b"Traceback" not in done.stderr
    said = json.loads(outcome(theirs, *AS_READER, "prlimit", "--nproc=1"))  # made, not detached
    assert said["error_code"] == "E306"
    assert "the system makes no more processes" in said["message"]


# Terminals, watches, permissions.


def test_without_terminals_only_those_that_need_one_are_refused(site: Site) -> None:
    few = mounted("mount -t devpts -o newinstance,ptmxmode=666,mode=620,max=2 devpts /dev/pts")
    needs(*few, "true", why="nothing can be mounted here")
    site.write(SLEEPS + ASKED + LATER)
    begin(site, *few)
    site.ask("start")
    status, answer = site.call("start", "later")
    assert (status, answer["error_code"]) == (1, "E215")
    assert "no more terminals" in answer["error"]
    assert all(site.tasks()[name]["healthy"] for name in ("sleeps", "asked"))
    site.ask("stop", "sleeps")
    assert site.ask("start", "later")["state"] == "running"


HOG = """
import ctypes, sys
libc, made = ctypes.CDLL(None), 0
while libc.inotify_init1(0) >= 0:
    made += 1
print(made, flush=True)
sys.stdin.read()
"""


def test_without_watches_an_edited_file_is_followed_all_the_same(theirs: Site) -> None:
    theirs.write(SLEEPS)
    with held(*AS_READER, sys.executable, "-c", HOG):
        start_as(AS_READER, theirs)
        theirs.ask("start")
        theirs.write(SLEEPS + LATER)
        first = theirs.await_event("config_reloaded")
        assert list(theirs.tasks()) == ["sleeps", "later"]
        # As long as before, and perhaps within the same second.
        theirs.write(SLEEPS + LATER.replace("later", "other"))
        theirs.await_event("config_reloaded", after=first["seq"])
        assert list(theirs.tasks()) == ["sleeps", "other"]


def test_a_home_that_may_not_be_written_any_more_is_waited_for(theirs: Site) -> None:
    theirs.write(TALKS + SLEEPS)
    imports = [sys.executable, "-c", "import taskmux.daemon.serve"]
    needs(*AS_USER, *imports, why="another user may not run this interpreter")
    start_as(AS_USER, theirs)
    theirs.ask("start")
    before = pids(theirs)
    (theirs.home / "events.jsonl").chmod(0o400)
    (theirs.home / "projects").chmod(0o000)
    os.kill(before["sleeps"], signal.SIGKILL)
    costs = ("events are not written", "what runs is not saved", "output of talks is dropped")
    said = settled(theirs, lambda now: all(cost in "; ".join(now["warnings"]) for cost in costs))
    assert all("Permission denied" in warning for warning in said["warnings"])
    (theirs.home / "events.jsonl").chmod(0o600)
    (theirs.home / "projects").chmod(0o700)
    theirs.await_event("log_lines_dropped")
    settled(theirs, lambda now: not now["warnings"] and now["tasks"][1]["run"] == 2)
    assert pids(theirs)["talks"] == before["talks"]
    assert kinds(theirs).count("auto_restart") == 1


def test_a_home_that_cannot_be_written_is_an_error_in_words(site: Site) -> None:
    home = str(site.home)
    only_read = mounted(f"mount --bind {home} {home}", f"mount -o remount,ro,bind {home}")
    needs(*only_read, "true", why="nothing can be mounted here")
    said = json.loads(outcome(site, *only_read))
    assert said["error_code"] == "E306"
    assert "Read-only file system" in said["message"]
    site.write(SLEEPS)
    command = [*only_read, sys.executable, "-m", "taskmux", "start", "--json"]
    done = subprocess.run(command, cwd=site.folder, env=site.environ, capture_output=True)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["error_code"]) == (3, "E306")
    assert "Read-only file system" in answer["error"]


def test_a_limit_of_core_files_reaches_the_tasks_and_no_further(site: Site) -> None:
    site.write("[tasks.dies]\ncommand = 'ulimit -c; kill -SEGV $$'\nrestart_policy = 'no'\n")
    daemon = begin(site, "prlimit", "--core=0:0")
    site.call("start")
    assert site.lines("dies") == ["0"]
    assert site.tasks()["dies"]["signal"] == signal.SIGSEGV
    assert site.daemon_pid() == daemon
