"""A real browser, without a screen, for tests that look at what people would see."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any
from urllib.request import urlopen

import anyio
import websockets
from anyio.streams.buffered import BufferedByteReceiveStream

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = "there is no Chromium on this machine"

OPTIONS = [
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-breakpad",
    "--disable-crash-reporter", "--remote-debugging-port=0",
]  # fmt: skip


class Screen:
    """A page in a browser."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection

    async def evaluate(self, expression: str) -> Any:
        """Return what a promise in the page comes to, which is JSON."""
        params = {"expression": expression, "awaitPromise": True}
        while "error" in (answer := await self._do("Runtime.evaluate", **params)):
            pass  # the page it was asked of makes way for another
        return json.loads(answer["result"]["result"]["value"])

    async def visit(self, url: str) -> None:
        """Go to an address; return as soon as the browser is on its way."""
        await self._do("Page.navigate", url=url)

    async def forget(self) -> None:
        """Keep nothing of what is fetched from now on."""
        await self._do("Network.enable")
        await self._do("Network.setCacheDisabled", cacheDisabled=True)

    async def _do(self, method: str, **params: object) -> dict[str, Any]:
        await self._connection.send(json.dumps({"id": 1, "method": method, "params": params}))
        async for answer in self._connection:
            found: dict[str, Any] = json.loads(answer)
            if found.get("id") == 1:
                return found
        raise EOFError


@asynccontextmanager
async def browser(url: str, home: Path, *options: str) -> AsyncIterator[Screen]:
    """Have a browser look at an address while inside; it trusts what is trusted in `home`."""
    boxed = [] if os.getuid() else ["--no-sandbox"]
    place = f"--user-data-dir={home / 'browser'}"
    command = [str(CHROMIUM), *OPTIONS, *boxed, *options, place, url]
    process = await anyio.open_process(
        command,
        stdout=DEVNULL,
        stderr=PIPE,
        env=os.environ | {"HOME": str(home)},
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        said = BufferedByteReceiveStream(process.stderr)
        while not (
            found := re.search(rb"ws://127\.0\.0\.1:\d+", await said.receive_until(b"\n", 65_536))
        ):
            pass
        door = await anyio.to_thread.run_sync(_page_of, found[0].decode())
        async with websockets.connect(door, max_size=None) as connection:
            yield Screen(connection)
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.aclose()


def _page_of(door: str) -> str:
    """Return where the browser lets one talk to the page that it shows."""
    with urlopen(f"http{door.removeprefix('ws')}/json/list", timeout=30) as answer:
        pages = [one for one in json.load(answer) if one["type"] == "page"]
    return str(pages[0]["webSocketDebuggerUrl"])
