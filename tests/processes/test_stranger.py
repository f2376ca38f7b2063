"""Whose program is reached at a port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from taskmux.processes import diag, stranger

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
NOBODY = 65534
LISTEN = """
import socket
with socket.create_server(("127.0.0.1", 0)) as found:
    print(found.getsockname()[1], flush=True)
    input()
"""


@pytest.mark.parametrize(
    ("family", "address", "reached"),
    [
        (socket.AF_INET, "127.0.0.1", {"127.0.0.1"}),
        (socket.AF_INET, "0.0.0.0", {"127.0.0.1"}),
        (socket.AF_INET6, "::1", {"::1"}),
        (socket.AF_INET6, "::", {"127.0.0.1", "::1"}),
    ],
)
def test_it_is_told_who_listens(
    family: socket.AddressFamily, address: str, reached: set[str]
) -> None:
    both = address == "::"
    with socket.create_server((address, 0), family=family, dualstack_ipv6=both) as found:
        port = found.getsockname()[1]
        for asked in ("127.0.0.1", "::1"):
            assert diag.owner(asked, port) == (os.getuid() if asked in reached else None)
            assert stranger(asked, port) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_is_a_stranger() -> None:
    other = ["setpriv", f"--reuid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c", LISTEN]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert stranger("127.0.0.1", int(process.stdout.readline())) == NOBODY
        process.communicate(b"\n")
