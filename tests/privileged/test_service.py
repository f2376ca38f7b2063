from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.privileged.machine import UID, Machine, machine, sudo_environ

pytestmark = pytest.mark.timeout(180)  # many programs start here, on a machine that is shared

SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> {folder}/asked
refused=$(cat {folder}/refuse 2>/dev/null || echo nothing)
case "$*" in
    *$refused*) echo "Failed to connect to bus: No medium found." >&2; exit 1 ;;
esac
"""
"""Stands in for systemd, which does not run here."""


@pytest.fixture(scope="module")
def booted(made: None) -> Iterator[Machine]:
    """Return a machine that looks as if systemd ran."""
    with machine() as found:
        programs = found.folder / "programs"
        (found.folder / "units").mkdir()
        programs.mkdir()
        (programs / "systemctl").write_text(SYSTEMCTL.format(folder=found.folder))
        (programs / "systemctl").chmod(0o755)
        (found.folder / "asked").touch()
        (found.folder / "asked").chmod(0o666)
        for command in (
            "mount -t tmpfs -o mode=755 tmpfs /run",
            "mkdir -p /run/systemd/system /etc/systemd/system",
            f"mount --bind {found.folder}/units /etc/systemd/system",
        ):
            assert found.run(*command.split()).returncode == 0
        yield found


def asked(booted: Machine) -> list[str]:
    """Return what systemctl was asked since the last time."""
    lines = (booted.folder / "asked").read_text().splitlines()
    (booted.folder / "asked").write_text("")
    return lines


def joe(booted: Machine, *words: str) -> Any:
    path = f"{booted.folder}/programs:/usr/bin:/bin"
    command = booted.as_joe(*booted.taskmux("daemon", *words, "--json"))
    return json.loads(booted.run(*command, **(booted.joe_environ() | {"PATH": path})).stdout)


def sudo(booted: Machine, *words: str) -> Any:
    path = f"{booted.folder}/programs:{sudo_environ()['PATH']}"
    return json.loads(booted.sudo("daemon", *words, "--json", PATH=path).stdout)


def test_a_unit_of_the_user_s_own_comes_and_goes(booted: Machine) -> None:
    unit = booted.home / ".config" / "systemd" / "user" / "taskmux.service"
    before = list(booted.home.rglob("*"))
    dry = joe(booted, "install", "--dry-run")
    assert list(booted.home.rglob("*")) == before
    assert asked(booted) == []
    done = joe(booted, "install")
    assert (done["action"], done["files"]) == ("installed", dry["files"])
    assert done["commands"] == dry["commands"]
    assert unit.read_text() == done["files"][0]["content"]
    assert asked(booted) == [" ".join(words[1:]) for words in done["commands"]]
    assert joe(booted, "install")["action"] == "already_installed"
    assert booted.owners() == {UID}
    asked(booted)
    dry = joe(booted, "uninstall", "--dry-run")
    assert (unit.exists(), asked(booted)) == (True, [])
    gone = joe(booted, "uninstall")
    assert (gone["action"], gone["files"]) == ("uninstalled", dry["files"])
    assert not unit.exists()
    assert asked(booted) == ["--user disable --now taskmux.service", "--user daemon-reload"]
    assert joe(booted, "uninstall")["action"] == "not_installed"
    assert asked(booted) == []


def test_a_daemon_that_runs_goes_on(booted: Machine) -> None:
    pid = booted.ask("daemon", "start")["pid"]
    try:
        done = joe(booted, "install")
        assert done["commands"][1] == ["systemctl", "--user", "enable", "taskmux.service"]
        assert booted.ask("daemon", "status")["pid"] == pid
        assert joe(booted, "uninstall")["action"] == "uninstalled"
    finally:
        booted.joe("daemon", "stop")
        asked(booted)


def test_a_relative_folder_of_settings_counts_for_nothing(booted: Machine) -> None:
    done = booted.run(
        *booted.as_joe(*booted.taskmux("daemon", "install", "--dry-run", "--json")),
        **(booted.joe_environ() | {"XDG_CONFIG_HOME": "conf"}),
    )
    [file] = json.loads(done.stdout)["files"]
    assert file["path"] == f"{booted.home}/.config/systemd/user/taskmux.service"


def test_what_is_not_ours_stays(booted: Machine) -> None:
    unit = booted.home / ".config" / "systemd" / "user" / "taskmux.service"
    booted.write(unit, "[Service]\nExecStart=/bin/true\n")
    for command in ("install", "uninstall"):
        for dry in ([], ["--dry-run"]):
            assert joe(booted, command, *dry)["error_code"] == "E105"
    assert unit.read_text() == "[Service]\nExecStart=/bin/true\n"
    unit.unlink()
    unit.symlink_to(booted.home / "elsewhere")
    assert joe(booted, "install")["error_code"] == "E105"
    assert unit.is_symlink()
    unit.unlink()
    assert asked(booted) == []


def test_what_systemd_refuses_leaves_nothing(booted: Machine) -> None:
    (booted.folder / "refuse").write_text("enable")
    try:
        answer = joe(booted, "install")
    finally:
        (booted.folder / "refuse").unlink()
    assert answer["error_code"] == "E313"
    assert "Failed to connect to bus: No medium found" in answer["error"]
    assert not (booted.home / ".config" / "systemd" / "user" / "taskmux.service").exists()
    # A unit that was enabled, and did not start, is not left enabled.
    assert asked(booted)[2:] == ["--user disable --now taskmux.service", "--user daemon-reload"]


def test_units_of_the_system_are_root_s_and_run_as_the_user(booted: Machine) -> None:
    names = {"taskmux.socket", "taskmux-redirect.socket", "taskmux.service"}
    assert joe(booted, "install", "--system")["error_code"] == "E800"
    assert sudo(booted, "install")["error_code"] == "E800"
    done = sudo(booted, "install", "--system")
    assert done["action"] == "installed"
    units = {place.name: place for place in (booted.folder / "units").iterdir()}
    assert set(units) == names
    assert "User=joe\n" in units["taskmux.service"].read_text()
    assert "ListenStream=[::1]:80\n" in units["taskmux-redirect.socket"].read_text()
    assert {oct(place.stat().st_mode & 0o777) for place in units.values()} == {"0o644"}
    assert asked(booted)[0] == "daemon-reload"
    # Settings that cannot be read any more are no reason to keep it.
    booted.write(booted.ours / "config.toml", "=")
    assert sudo(booted, "install", "--system")["error_code"] == "E101"
    assert sudo(booted, "uninstall", "--system")["action"] == "uninstalled"
    assert list((booted.folder / "units").iterdir()) == []
    assert booted.owners() == {UID}
    (booted.ours / "config.toml").unlink()


def test_without_systemd_it_is_said(empty_of_systemd: Machine) -> None:
    done = empty_of_systemd.joe("daemon", "install")
    assert done.returncode == 1
    assert "systemd does not run here" in done.stderr
    assert list(empty_of_systemd.home.iterdir()) == []


@pytest.fixture
def empty_of_systemd(made: None) -> Iterator[Machine]:
    with machine() as found:
        found.run(*["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
        yield found
