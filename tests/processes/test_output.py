from __future__ import annotations

import os
import socket

import anyio
import pytest
from anyio.lowlevel import checkpoint

from taskmux.processes.output import PIECES, TURN, pump, take


async def test_an_endless_source_leaves_turns_to_others() -> None:
    source = os.open("/dev/zero", os.O_RDONLY)  # never says that there is nothing yet
    sizes: list[int] = []
    async with anyio.create_task_group() as group:
        group.start_soon(pump, source, lambda piece: sizes.append(len(piece)))
        while len(sizes) < 3:
            await checkpoint()
        group.cancel_scope.cancel()
    os.close(source)
    assert set(sizes) == {TURN}


async def test_a_source_of_small_pieces_leaves_turns_to_others() -> None:
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reader.setblocking(False)
    count = 10 * PIECES
    for _ in range(count):
        writer.send(b"a")
    heard: list[int] = []
    async with anyio.create_task_group() as group:
        group.start_soon(pump, reader.fileno(), lambda piece: heard.append(len(piece)))
        turns = 0
        while len(heard) < count:
            await checkpoint()
            turns += 1
        group.cancel_scope.cancel()
    reader.close()
    writer.close()
    assert turns >= count // PIECES


def test_tells_nothing_yet_from_the_end() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        take(reader)
    os.write(writer, b"some")
    assert take(reader) == b"some"
    os.close(writer)
    assert take(reader) == b""
    os.close(reader)
