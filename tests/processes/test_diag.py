from __future__ import annotations

import os
import socket
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("netlink is Linux's", allow_module_level=True)

from taskmux.processes import diag


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_listener_is_there_as_long_as_it_listens(
    family: socket.AddressFamily, address: str
) -> None:
    with socket.create_server((address, 0), family=family) as door:
        port, inode = door.getsockname()[1], os.fstat(door.fileno()).st_ino
        [found] = [one for one in diag.listeners() if one.inode == inode]
        assert (found.local[1], found.uid) == (port, os.getuid())
        with socket.create_connection((address, port)):
            assert len([one for one in diag.listeners() if one.local[1] == port]) == 1
    assert inode not in [one.inode for one in diag.listeners()]


def test_there_may_be_more_than_fit_an_answer() -> None:
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(500)]
    try:
        inodes = {os.fstat(door.fileno()).st_ino for door in doors}
        assert inodes <= {one.inode for one in diag.listeners()}
    finally:
        for door in doors:
            door.close()
