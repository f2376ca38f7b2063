from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskmux.cli.superuser import check_home, check_start
from taskmux.errors import NotAllowed

SUDO = {"SUDO_UID": "1000"}
ALLOWED = {"TASKMUX_ALLOW_ROOT": "1"}


@pytest.mark.parametrize(
    ("uid", "environ", "hint"),
    [
        (1000, {}, None),
        (1000, SUDO, None),
        (0, ALLOWED, None),
        (0, ALLOWED | SUDO, None),
        (0, {}, "TASKMUX_ALLOW_ROOT=1"),
        (0, {"SUDO_UID": "0"}, "TASKMUX_ALLOW_ROOT=1"),
        (0, {"TASKMUX_ALLOW_ROOT": "0"}, "TASKMUX_ALLOW_ROOT=1"),
        (0, SUDO, "leave sudo out"),
    ],
)
def test_root_starts_no_daemon_by_accident(
    uid: int, environ: dict[str, str], hint: str | None
) -> None:
    if hint is None:
        check_start(uid, environ)
        return
    with pytest.raises(NotAllowed, match="every task as root") as found:
        check_start(uid, environ)
    assert hint in str(found.value.hint)


def test_root_leaves_nothing_in_the_home_of_others(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("takes root")
    home = tmp_path / "joe" / ".taskmux"
    check_home(0, home, {})
    home.parent.mkdir()
    os.chown(home.parent, 1000, 1000)
    with pytest.raises(NotAllowed, match="user 1000's"):
        check_home(0, home, {})
    check_home(0, home, ALLOWED)
    check_home(1000, home, {})
    # Where it is root's own already, or leads to a place of root's, it is still in joe's hands.
    home.mkdir()
    with pytest.raises(NotAllowed, match="user 1000's"):
        check_home(0, home, {})
    home.rmdir()
    home.symlink_to("/etc")
    with pytest.raises(NotAllowed, match="user 1000's"):
        check_home(0, home, {})
    ours = tmp_path / "ours"
    ours.symlink_to(home.parent)
    with pytest.raises(NotAllowed, match="user 1000's"):
        check_home(0, ours / ".taskmux", {})
