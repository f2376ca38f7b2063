from __future__ import annotations

import socket
from pathlib import Path

import pytest

from taskmux import paths
from taskmux.address import reachable
from taskmux.daemon.privileged.inquiry import running
from taskmux.errors import NotAllowed


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
