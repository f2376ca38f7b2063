from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.site import Site

SLEEPER = '[tasks.a]\ncommand = "exec sleep 1000"\n'

FILES = (
    "registry.json", "events.jsonl", "daemon.log", "daemon.pid",
    "projects/shop/state.json", "projects/shop/logs/a.log", "projects/shop/logs/a.log.1",
)  # fmt: skip

SECRET = "not to be read, not to be written\n"


def fifo(place: Path) -> None:
    os.mkfifo(place)


def link(place: Path) -> None:
    target(place).write_text(SECRET)
    place.symlink_to(target(place))


def dangling(place: Path) -> None:
    place.symlink_to(target(place))


def target(place: Path) -> Path:
    return place.with_name(f"{place.name}-is-here")


def folder(place: Path) -> None:
    place.mkdir()
    (place / "occupied").touch()


def door(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(place))


def write(content: bytes, place: Path) -> None:
    place.write_bytes(content)


def file(place: Path) -> None:
    place.write_text(SECRET)


Make = Callable[[Path], None]


def spoil(site: Site, name: str, make: Make) -> int:
    """Put something odd in the place of a file; return of what kind it is."""
    place = site.home / name
    place.parent.mkdir(parents=True, exist_ok=True)
    make(place)
    return place.lstat().st_mode


def damaged(site: Site) -> dict[str, str]:
    """Return what was told to be set aside, and why, by the path it had."""
    lines = (site.home / "events.jsonl").read_text().splitlines()
    told = [event for line in lines if (event := json.loads(line))["event"] == "state_damaged"]
    return {event["path"].partition(".corrupt-")[0]: event["reason"] for event in told}


def aside(place: Path) -> Path:
    """Return where a file was put, which is the only one."""
    [found] = place.parent.glob(f"{place.name}.corrupt-*")
    return found


@pytest.mark.parametrize("make", [fifo, link, dangling, folder, door])
def test_what_is_no_file_is_set_aside_and_told(make: Make, site: Site) -> None:
    site.write(SLEEPER)
    kinds = {name: spoil(site, name, make) for name in FILES}
    assert site.ask("start")["ok"]
    assert damaged(site).keys() == {str(site.home / name) for name in FILES}
    for name, kind in kinds.items():
        place = site.home / name
        assert aside(place).lstat().st_mode == kind
        if os.path.lexists(place):
            assert stat.S_ISREG(place.lstat().st_mode)
        if make is link:
            assert target(place).read_text() == SECRET
        if make is dangling:
            assert not target(place).exists()
    assert site.tasks()["a"]["state"] == "running"
    assert "ready" in (site.home / "daemon.log").read_text()
    assert site.daemon_pid() is not None


@pytest.mark.parametrize(
    ("name", "make"),
    [("projects", file), ("projects/shop", fifo), ("projects/shop/logs", dangling)],
)
def test_what_is_no_folder_is_set_aside_and_told(name: str, make: Make, site: Site) -> None:
    site.write(SLEEPER)
    kind = spoil(site, name, make)
    assert site.ask("start")["ok"]
    assert damaged(site) == {str(site.home / name): "it is not a folder"}
    assert aside(site.home / name).lstat().st_mode == kind
    assert site.tasks()["a"]["state"] == "running"


def test_a_folder_that_was_moved_elsewhere_is_followed(site: Site, tmp_path: Path) -> None:
    site.write(SLEEPER)
    (tmp_path / "roomy").mkdir()
    (site.home / "projects").symlink_to(tmp_path / "roomy")
    assert site.ask("start")["ok"]
    assert (tmp_path / "roomy" / "shop" / "state.json").exists()
    assert damaged(site) == {}


CONTENTS = {"empty": b"", "cut short": b'{"shop": '}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_what_cannot_be_understood_is_set_aside_and_told(content: bytes, site: Site) -> None:
    site.write(SLEEPER)
    names = ("registry.json", "projects/shop/state.json")
    for name in names:
        spoil(site, name, partial(write, content))
    assert site.ask("start")["ok"]
    assert damaged(site).keys() == {str(site.home / name) for name in names}
    assert [aside(site.home / name).read_bytes() for name in names] == [content] * 2
    assert json.loads((site.home / "registry.json").read_text()).keys() == {"shop"}


def huge(place: Path) -> None:
    place.write_bytes(b'{"ts": "", "seq": 1, "event": "daemon_started"}\n')
    os.truncate(place, 1 << 36)


def test_what_is_huge_is_set_aside_unread(site: Site) -> None:
    site.write(SLEEPER)
    names = ("registry.json", "events.jsonl", "projects/shop/state.json")
    for name in names:
        spoil(site, name, huge)
    assert site.ask("start")["ok"]
    assert damaged(site).keys() == {str(site.home / name) for name in names}
    for name in names:
        assert aside(site.home / name).stat().st_size == 1 << 36


def test_what_may_not_be_read_is_set_aside_and_told(site: Site) -> None:
    site.write(SLEEPER)
    for name in FILES:
        spoil(site, name, file)
        (site.home / name).chmod(0)
    started = subprocess.run(
        [*humbly(), sys.executable, "-c", "from taskmux.cli import entry; entry()", "start"],
        cwd=site.folder, env=site.environ, capture_output=True, check=False,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    assert damaged(site).keys() == {str(site.home / name) for name in FILES}
    assert [aside(site.home / name).read_text() for name in FILES] == [SECRET] * len(FILES)


def humbly() -> list[str]:
    """Return what runs a command without root's right to read everything."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


@pytest.mark.parametrize("name", ["daemon.lock", "starting.lock"])
def test_a_lock_that_is_a_link_is_not_followed(name: str, site: Site) -> None:
    site.write(SLEEPER)
    spoil(site, name, dangling)
    status, answer = site.call("status")
    assert (status, answer["error_code"]) == (3, "E306")
    assert f"{name} cannot be used" in answer["error"]
    assert not target(site.home / name).exists()


@pytest.mark.parametrize("name", ["daemon.lock", "starting.lock"])
def test_a_lock_that_is_a_fifo_blocks_nobody(name: str, site: Site) -> None:
    site.write(SLEEPER)
    spoil(site, name, fifo)
    assert site.ask("start")["ok"]


def test_the_host_config_is_the_users_and_left_where_it_is(site: Site) -> None:
    site.write(SLEEPER)
    (site.home / "config.toml").unlink()
    os.mkfifo(site.home / "config.toml")
    status, answer = site.call("status")
    assert (status, answer["error_code"]) == (2, "E104")
    assert stat.S_ISFIFO((site.home / "config.toml").stat().st_mode)


def test_a_log_file_that_the_user_chose_is_not_set_aside(site: Site) -> None:
    os.mkfifo(site.folder / "a.log")
    site.write(f'{SLEEPER}log_file = "a.log"\n')
    status, answer = site.call("start")
    assert (status, "tasks.a.log_file" in answer["error"]) == (2, True)
    assert stat.S_ISFIFO((site.folder / "a.log").stat().st_mode)


def test_numbers_of_events_go_on_behind_a_huge_history(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    site.ask("daemon", "stop")
    history = site.home / "events.jsonl"
    newest = json.loads(history.read_text().splitlines()[-1])["seq"]
    with history.open("r+b") as spread:
        content = spread.read()
        spread.seek(1 << 30)
        spread.write(b"\n" + content)
    site.ask("status")
    first = json.loads(history.read_text().splitlines()[0])
    assert (first["event"], first["seq"]) == ("state_damaged", newest + 1)


def test_who_reads_the_history_waits_for_nobody(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    (site.home / "events.jsonl").unlink()
    os.mkfifo(site.home / "events.jsonl")
    assert site.ask("events")["events"] == []
    assert site.ask("stop", "a")["action"] == "stopped"


def test_who_asks_no_daemon_waits_for_nobody_either(site: Site) -> None:
    site.write(SLEEPER)
    for name in ("registry.json", "events.jsonl", "projects/shop/logs/a.log"):
        spoil(site, name, fifo)
    assert site.ask("events")["events"] == []
    status, answer = site.call("logs", "a")
    assert (status, answer["error_code"]) == (2, "E801")


def test_a_project_whose_file_is_a_fifo_now_keeps_the_others_going(site: Site) -> None:
    site.write(SLEEPER)
    site.ask("start")
    (site.folder / "taskmux.toml").unlink()
    os.mkfifo(site.folder / "taskmux.toml")
    site.await_event("config_error")
    [project] = site.ask("daemon", "list")["projects"]
    assert (project["state"], project["running"]) == ("error", 1)
