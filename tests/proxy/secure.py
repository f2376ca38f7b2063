"""A proxy that encrypts, for tests that talk to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from cryptography.hazmat.primitives.serialization import Encoding

from taskmux.proxy.certificates import Certificates
from taskmux.proxy.server import bind, open_proxy
from taskmux.trust.issue import make_authority
from tests.proxy.stage import Later, Stage, Talk

NAME = "api.shop.localhost"
TLDS = ("localhost", "dev.test")


@dataclass
class Secure:
    """A proxy that encrypts, and the root to trust."""

    stage: Stage
    root: Path

    async def connect(
        self, name: str = NAME, protocol: str = "http/1.1"
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context(cafile=str(self.root))
        context.set_alpn_protocols([protocol])
        return await asyncio.open_connection(
            "127.0.0.1", self.stage.port, ssl=context, server_hostname=name
        )

    @asynccontextmanager
    async def client(self, name: str) -> AsyncIterator[Talk]:
        """Yield a client that speaks HTTP/1.1."""
        reader, writer = await self.connect(name)
        try:
            yield Talk(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def secured(folder: Path) -> AsyncIterator[Secure]:
    authority = make_authority("somebody", TLDS, datetime.now(UTC))
    root = folder / "root.pem"
    root.write_bytes(authority.root.public_bytes(Encoding.PEM))
    directory = Later()
    [listener] = bind(["127.0.0.1"], 0)
    port = listener.getsockname()[1]
    with listener, anyio.fail_after(30):
        async with open_proxy(directory, "https", port) as proxy:
            directory.stage = stage = Stage(proxy, port)
            await proxy.listen(listener, Certificates(authority, TLDS).context(proxy.note_name))
            try:
                yield Secure(stage, root)
            finally:
                for server in stage.servers:
                    server.close()
                for front in list(proxy.guests):
                    front.abort()
                while proxy.guests:
                    await checkpoint()
                await wait_all_tasks_blocked()  # and tunnels that end with them
