from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from taskmux.processes import new_marker
from tests.e2e.site import Site, run_cli

TASKS = """
[tasks.a]
command = "echo hello; exec sleep 1000"
[tasks.b]
command = "echo hello; exec sleep 1000"
log_file = "b.log"
"""


def paths(answer: Any) -> list[str]:
    return sorted(removed["path"] for removed in answer["removed"])


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def await_output(site: Site) -> None:
    site.ask("wait", "a", "b", "--for", "log:hello", "--timeout", "30")


def test_a_project_is_ended_and_forgotten(site: Site) -> None:
    site.write(TASKS)
    site.ask("start")
    await_output(site)
    folder = site.home / "projects" / "shop"
    answer = site.ask("clean")
    assert paths(answer) == sorted([str(folder), str(site.folder / "b.log")])
    assert answer["unregistered"]
    assert not folder.exists()
    assert everything(site.folder) == [site.folder / "taskmux.toml"]
    assert site.left() == [site.daemon_pid()]
    assert site.ask("daemon", "list")["projects"] == []


def test_only_the_logs_go_and_tasks_write_on(site: Site) -> None:
    site.write(TASKS)
    site.ask("start")
    await_output(site)
    gone = site.home / "projects" / "shop" / "logs" / "gone.log"
    gone.touch()
    logs = [gone.with_name("a.log"), gone, site.folder / "b.log"]
    assert paths(site.ask("clean", "--logs")) == sorted(map(str, logs))
    assert not gone.exists()
    assert site.lines("a") == site.lines("b") == []
    assert {task["state"] for task in site.tasks().values()} == {"running"}
    site.ask("restart", "b")
    site.ask("wait", "b", "--for", "log:hello", "--timeout", "30")
    assert site.lines("b") == ["hello"]


def test_events_go_and_their_numbers_go_on(site: Site) -> None:
    site.write(TASKS)
    site.ask("start")
    newest = site.ask("events")["next"]
    answer = site.ask("clean", "--events")
    assert paths(answer) == [str(site.home / "events.jsonl")]
    site.ask("stop", "a")
    found = site.ask("events")["events"]
    assert {event["task"] for event in found} == {"a"}
    assert min(event["seq"] for event in found) > newest


@pytest.mark.parametrize("what", [[], ["--logs"], ["--events"], ["--all"]])
def test_a_dry_run_says_what_it_would_do_and_does_nothing(site: Site, what: list[str]) -> None:
    site.write(TASKS)
    site.ask("start")
    await_output(site)
    before = everything(site.home), everything(site.folder)
    dry = site.ask("clean", *what, "--dry-run")
    assert dry["dry_run"]
    assert (everything(site.home), everything(site.folder)) == before
    assert {task["state"] for task in site.tasks().values()} == {"running"}
    assert set(paths(site.ask("clean", *what))) <= set(paths(dry))


def test_all_goes_but_what_people_wrote(site: Site) -> None:
    site.write(TASKS)
    site.ask("start")
    mine = [site.home / ".notes-of-mine", site.home / "config.toml", site.home / "notes.txt"]
    for file in (mine[0], mine[2], site.home / ".token-12345678", site.home / "token.corrupt-1"):
        file.touch()
    answer = site.ask("clean", "--all")
    assert everything(site.home) == mine
    assert str(site.home / "projects") in paths(answer)
    assert site.left() == []
    assert site.ask("clean", "--all")["removed"] == []


def test_what_excludes_each_other_is_refused(site: Site) -> None:
    status, answer = site.call("clean", "--all", "--logs")
    assert (status, answer["error_code"]) == (2, "E801")


@contextmanager
def stranger(**environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with this environment, in a session of its own, meanwhile."""
    command = ["sleep", "1000"]
    with subprocess.Popen(command, env=os.environ | environ, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def marked(site: Site) -> dict[str, str]:
    """Return what a task of the site has in its environment."""
    run_id = new_marker(site.home)
    return {"TASKMUX_SESSION": "shop", "TASKMUX_TASK": "old", "TASKMUX_RUN_ID": run_id}


def test_lost_processes_of_ours_are_found_and_ended(site: Site) -> None:
    site.write(TASKS)
    site.ask("start")
    pids = {task["pid"] for task in site.tasks().values()}
    with (
        stranger(**marked(site)) as ours,
        stranger(**marked(site) | {"TASKMUX_RUN_ID": str(uuid4())}) as another_home_s,
        stranger(TASKMUX_HOME=str(site.home)) as without_mark,
    ):
        found = site.ask("prune")
        assert [(one["pid"], one["task"]) for one in found["processes"]] == [(ours.pid, "old")]
        assert ours.poll() is None
        assert site.ask("prune", "--apply")["applied"]
        assert ours.wait(timeout=30) == -signal.SIGKILL
        assert without_mark.poll() is None
        assert another_home_s.poll() is None
    assert {task["pid"] for task in site.tasks().values()} == pids
    assert site.ask("prune")["processes"] == []


def test_projects_whose_file_is_gone_are_forgotten_if_nothing_runs(
    site: Site, other: Callable[[str], Site]
) -> None:
    resting, running = other("resting"), other("running")
    for one in (resting, running):
        one.folder.joinpath("taskmux.toml").write_text(f'name = "{one.folder.name}"\n{TASKS}')
        one.ask("start" if one is running else "status")
        one.folder.joinpath("taskmux.toml").unlink()
    site.write(TASKS)
    site.ask("status")
    for one in (resting, running):
        one.await_event("config_error")
    found = site.ask("prune", "--apply")
    assert [project["session"] for project in found["projects"]] == ["resting"]
    assert [project["session"] for project in site.ask("daemon", "list")["projects"]] == [
        "running", "shop",
    ]  # fmt: skip
    assert not (site.home / "projects" / "resting").exists()


def test_files_that_nobody_reads_are_found(site: Site) -> None:
    site.write(TASKS)
    site.ask("status")
    aside, old = site.home / "registry.json.corrupt-1", site.home / "projects" / "old"
    begun = site.home / ".registry.json-12345678"
    old.mkdir()
    for file in (aside, begun, old / "some.log"):
        file.touch()
    found = site.ask("prune")
    assert [one["path"] for one in found["files"]] == [str(aside)]
    assert [one["path"] for one in found["folders"]] == [str(old)]
    site.ask("prune", "--apply")
    assert [file.exists() for file in (aside, begun, old)] == [False, True, False]
    assert site.people("prune")[1] == "Nothing is left over\n"


def test_what_was_found_is_told_to_people(site: Site) -> None:
    site.write(TASKS)
    site.ask("status")
    (site.home / "projects" / "old").mkdir()
    with stranger(**marked(site)) as ours:
        _, said, _ = site.people("prune")
    assert said.splitlines() == [
        f"process {ours.pid} of shop/old: sleep 1000",
        f"folder  {site.home}/projects/old (0 B): of no project",
        "2 found; `taskmux prune --apply` removes them",
    ]


def test_changes_of_the_file_are_shown_and_applied(site: Site) -> None:
    site.write(TASKS)
    site.ask("start")
    with run_cli(site, "watch", "--apply", "--json") as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        while b"watching" not in watching.stderr.readline():
            pass
        # Until somebody listens, nobody is told: so it is changed until somebody was.
        for seconds in range(1001, 1100):
            site.write(TASKS.replace("1000", str(seconds), 1))
            if line := next_line(watching):
                break
        event = json.loads(line)
        assert (event["event"], event["restart_needed"]) == ("config_reloaded", ["a"])
        site.await_event("task_restarted")
        site.ask("daemon", "restart")
        site.folder.joinpath("taskmux.toml").write_text("= 1")
        while json.loads(watching.stdout.readline())["event"] != "config_error":
            pass
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=30) == 130


def next_line(process: subprocess.Popen[bytes]) -> bytes:
    """Return the next line it prints; empty if it prints none for a moment."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 1)
    return process.stdout.readline() if ready else b""
