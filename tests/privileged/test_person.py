from __future__ import annotations

import pytest

from taskmux.daemon.privileged.person import PATH, Person, environment, invoker
from taskmux.errors import NotAllowed

JOE = Person("joe", 1000, 1000, "/home/joe", "/bin/zsh")


def lookup(uid: int) -> Person | None:
    return JOE if uid == 1000 else None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"SUDO_UID": "0", "SUDO_GID": "0"},
        {"SUDO_GID": "1000", "SUDO_USER": "joe"},
    ],
)
def test_root_itself(environ: dict[str, str]) -> None:
    assert invoker(environ, lookup) is None


def test_whoever_typed_sudo() -> None:
    assert invoker({"SUDO_UID": "1000", "SUDO_GID": "50"}, lookup) == Person(
        "joe", 1000, 50, "/home/joe", "/bin/zsh"
    )


@pytest.mark.parametrize(
    ("uid", "gid"),
    [
        ("1000", None),
        ("1000", "0"),
        ("1000", "00"),
        ("1000", ""),
        ("1000", "4294967295"),
        ("", "1000"),
        ("00", "1000"),
        ("01000", "1000"),
        ("-1", "1000"),
        ("+1000", "1000"),
        (" 1000", "1000"),
        ("1000\n", "1000"),
        ("1e3", "1000"),
        ("\u0661\u0660\u0660\u0660", "1000"),
        ("1_000", "1000"),
        ("4294967295", "1000"),
        ("4294968296", "1000"),  # 1000, if somebody cut it to 32 bits
        ("99999999999999999999", "1000"),
        ("1001", "1000"),
        ("joe", "1000"),
    ],
)
def test_what_sudo_never_says_is_refused(uid: str, gid: str | None) -> None:
    environ = {"SUDO_UID": uid} | ({} if gid is None else {"SUDO_GID": gid})
    with pytest.raises(NotAllowed):
        invoker(environ, lookup)


def test_nothing_of_root_and_sudo_is_left_in_the_environment() -> None:
    root = {
        "SUDO_UID": "1000", "SUDO_COMMAND": "x", "HOME": "/root", "USER": "root", "MAIL": "x",
        "LOGNAME": "root", "SHELL": "/bin/bash", "PATH": "/sbin", "TERM": "xterm", "LANG": "C",
        "LC_ALL": "C", "XDG_CONFIG_HOME": "/root/.config", "XDG_RUNTIME_DIR": "/run/user/0",
        "PYTHONPATH": "/evil", "LD_PRELOAD": "/evil.so", "TASKMUX_HOME": "/srv/joe",
        "TASKMUX_ALLOW_ROOT": "1", "TASKMUX_UNPREPARED": "{}", "LISTEN_FDS": "3", "TZ": "UTC",
    }  # fmt: skip
    assert environment(JOE, root, "/run/user/1000") == {
        "HOME": "/home/joe", "USER": "joe", "LOGNAME": "joe", "SHELL": "/bin/zsh", "PATH": "/sbin",
        "TERM": "xterm", "LANG": "C", "LC_ALL": "C", "TZ": "UTC", "TASKMUX_HOME": "/srv/joe",
        "XDG_RUNTIME_DIR": "/run/user/1000",
    }  # fmt: skip


def test_what_is_missing_has_a_default() -> None:
    nobody = Person("joe", 1000, 1000, "/home/joe", "")
    found = environment(nobody, {}, None)
    assert (found["PATH"], found["SHELL"]) == (PATH, "/bin/sh")
    assert "XDG_RUNTIME_DIR" not in found
