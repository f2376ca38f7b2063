from __future__ import annotations

import socket

from anyio import fail_after

from taskmux.api.hangup import until_gone


async def test_a_connection_that_was_closed_here_has_nobody_at_its_other_end() -> None:
    here, there = socket.socketpair()
    here.close()
    with there, fail_after(20):
        await until_gone(here, half=True)
