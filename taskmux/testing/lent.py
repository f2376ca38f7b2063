"""What taskmux lends a plugin, as the contracts do."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from taskmux.contracts import PluginContext

Opened = TypeVar("Opened")


class AsyncContract:
    """A contract with tests that await something, on the event loop the daemon runs on."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend(self) -> tuple[str, dict[str, bool]]:
        """Return the event loop the daemon runs on."""
        return "asyncio", {"use_uvloop": True}


async def break_off(
    opening: AbstractAsyncContextManager[Opened], publish: Callable[[Opened], Awaitable[None]]
) -> None:
    """Open what `opening` opens, publish, and leave it by a `ZeroDivisionError`."""
    async with opening as opened:
        await publish(opened)
        raise ZeroDivisionError


def lend(folder: Path, settings: Mapping[str, Any]) -> PluginContext:
    """Return a context whose state is kept in `folder`, and whose events go nowhere."""
    log = logging.getLogger("taskmux.testing")
    return PluginContext(settings, folder, log, report=lambda kind, facts: None)


def assert_described(name: str, summary: str) -> None:
    """Check what `taskmux plugins` shows of an offer: a word, and a line about it."""
    assert name.isprintable()
    assert name.split() == [name]
    assert summary.isprintable()
    assert summary.strip()
