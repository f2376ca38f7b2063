from __future__ import annotations

import sys

import pytest

from taskmux.processes.sockets import ESTABLISHED, LISTEN, Socket, parse_sockets, spellings

TABLE = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 x
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1001        0 4712 1 x
   2: 0100007F:C350 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 3 x
"""


def test_reads_the_kernel_s_table() -> None:
    home = (b"0100007F", 8080)
    assert list(parse_sockets(TABLE, LISTEN)) == [Socket(home, (b"00000000", 0), 1000, 4711)]
    far = (b"0100007F", 50000)
    assert list(parse_sockets(TABLE, ESTABLISHED)) == [Socket(home, far, 1001, 4712)]
    assert list(parse_sockets(b"", LISTEN)) == []


@pytest.mark.skipif(sys.byteorder != "little", reason="the kernel writes its own byte order")
@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("127.0.0.1", {b"0100007F", b"0000000000000000FFFF00000100007F"}),
        ("::ffff:127.0.0.1", {b"0100007F", b"0000000000000000FFFF00000100007F"}),
        ("::1", {b"00000000000000000000000001000000"}),
        ("192.0.2.1", set()),
        ("::ffff:192.0.2.1", set()),
        ("localhost", set()),
    ],
)
def test_spells_an_address_as_the_kernel_does(host: str, found: set[bytes]) -> None:
    assert spellings(host, 80) == {(address, 80) for address in found}
