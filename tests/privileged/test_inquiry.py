from __future__ import annotations

import socket
from pathlib import Path

import pytest

from taskmux import paths
from taskmux.address import reachable
from taskmux.daemon.privileged.inquiry import inquire, running
from taskmux.errors import NotAllowed
from taskmux.store import Alias, Store


def test_a_daemon_that_hangs_is_told_of_in_time(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        with reachable(paths.door(tmp_path)) as address:
            listening.bind(address)
        listening.listen()
        with pytest.raises(NotAllowed, match=r"not answered within 0\.1 s") as found:
            running(tmp_path, patience=0.1)
    assert "taskmux doctor" in str(found.value.hint)


def test_without_a_daemon_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert running(tmp_path) is None


def test_names_of_tasks_and_of_aliases_are_to_be_prepared(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "taskmux.toml"
    config.write_text('name = "shop"\n[tasks.api]\ncommand = "true"\nhost = "api"\n')
    places = {"shop": str(config), "lost": str(tmp_path / "nowhere"), "odd": str(config)}
    store = Store(home, lambda *_: None)
    store.save_registry(places)
    store.save_aliases("shop", {"a": Alias(port=1, host="api"), "b": Alias(port=2, host="@")})
    store.save_aliases("lost", {"c": Alias(port=3, host="c"), "d": Alias(port=4, host="*")})
    damaged = paths.aliases(home, "odd")
    damaged.parent.mkdir()
    damaged.write_text('{"e": {"port": 5, "host": "evil.example/"}}')
    names = inquire({"TASKMUX_HOME": str(home)}).names
    assert names == [
        "api.shop.localhost", "shop.localhost", "c.lost.localhost", "api.odd.localhost",
    ]  # fmt: skip
    assert damaged.exists()
