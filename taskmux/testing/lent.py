"""What taskmux lends a plugin, as the contracts do."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from inspect import getdoc
from pathlib import Path
from typing import Any, TypeVar

import pytest

from taskmux.contracts import PluginContext
from taskmux.plugins import check_name

Opened = TypeVar("Opened")


class Contract:
    """A class of tests with holes: methods that the plugin supplies."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Raise `TypeError` for a class of tests that has a hole: pytest would pass over it."""
        super().__init_subclass__(**kwargs)
        if cls.__name__.startswith("Test"):
            for name in dir(cls):
                hole = getattr(cls, name, None)
                if getattr(hole, "__isabstractmethod__", False):
                    raise TypeError(f"{cls.__name__} needs `{name}`: {getdoc(hole)}")


class AsyncContract(Contract):
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
    check_name(name)
    assert summary.isprintable()
    assert summary.strip()
