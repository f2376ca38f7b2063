from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from taskmux.address import LONGEST, reachable


def test_a_short_path_is_its_own_name() -> None:
    with reachable(Path("/run/door.sock")) as name:
        assert name == "/run/door.sock"


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="a path too long for a socket is reached by /proc, which only Linux has",
)
def test_a_long_path_is_reached_through_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 60) / ("y" * 60)
    folder.mkdir(parents=True)
    path = folder / "door.sock"
    assert len(str(path)) > LONGEST
    with socket.socket(socket.AF_UNIX) as door, socket.socket(socket.AF_UNIX) as caller:
        with reachable(path) as name:
            door.bind(name)
        door.listen()
        assert path.is_socket()
        with reachable(path) as name:
            caller.connect(name)


def test_a_long_path_without_its_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="x"), reachable(tmp_path / ("x" * 100) / "door.sock"):
        pass
