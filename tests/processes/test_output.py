from __future__ import annotations

import os

import anyio
import pytest
from anyio.lowlevel import checkpoint

from taskmux.processes.output import TURN, pump, take


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
