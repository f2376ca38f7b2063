from __future__ import annotations

import stat
from pathlib import Path

from taskmux import paths
from taskmux.api.token import renew_token


def test_the_token_is_in_a_file_for_its_owner_alone(home: Path) -> None:
    token = renew_token(paths.token(home))
    assert token.path == paths.token(home)
    assert token.path.read_text().strip() == token.secret
    assert len(token.secret) >= 32
    assert stat.S_IMODE(paths.token(home).stat().st_mode) == 0o600


def test_each_start_has_a_new_token(home: Path) -> None:
    assert renew_token(paths.token(home)).secret != renew_token(paths.token(home)).secret


def test_a_file_others_could_read_is_replaced_not_filled(home: Path) -> None:
    home.mkdir()
    trap = home / "trap"
    trap.write_text("before")
    paths.token(home).symlink_to(trap)
    renew_token(paths.token(home))
    assert trap.read_text() == "before"
    assert not paths.token(home).is_symlink()
