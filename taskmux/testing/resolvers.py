"""What every host resolver must prove."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest

from taskmux import settings
from taskmux.contracts import (
    AdvisingResolver,
    HostRecord,
    HostResolver,
    OpenResolver,
    PluginContext,
)
from taskmux.settings import Settings

from .lent import AsyncContract, assert_described, break_off, lend

API = HostRecord("api.shop.localhost", IPv4Address("127.0.0.1"))
API_6 = HostRecord("api.shop.localhost", IPv6Address("::1"))
WEB = HostRecord("web.shop.localhost", IPv4Address("127.0.0.2"))

Opening = AbstractAsyncContextManager[OpenResolver]


class HostResolverContract(AsyncContract, ABC):
    """What taskmux relies on from every host resolver."""

    @abstractmethod
    def make(self, folder: Path) -> HostResolver:
        """Return the resolver under test, which touches nothing outside `folder`."""

    @abstractmethod
    def lookup(self) -> Mapping[str, str]:
        """Return name and address of all that now resolves because of the plugin."""

    def settings(self) -> Mapping[str, Any]:
        """Return the plugin's table of the host config; override where it needs one.

        As in the daemon, the settings of all resolvers are lent beside it.
        """
        return {}

    def lent(self, folder: Path) -> PluginContext:
        """Return what the daemon would lend the plugin, its state in `folder`."""
        return lend(folder, settings.lend(Settings(plugin={"x": self.settings()}), "x"))

    @pytest.fixture
    def opening(self, tmp_path: Path) -> Opening:
        """Return a fresh resolver's context, not yet entered."""
        return self.make(tmp_path).open(self.lent(tmp_path))

    def test_is_described(self, tmp_path: Path) -> None:
        """Name and summary fit where they are shown."""
        resolver = self.make(tmp_path)
        assert_described(resolver.name, resolver.summary)

    def test_advice_is_one_line(self, tmp_path: Path) -> None:
        """What a resolver advises, if it does, fits where `doctor` shows it."""
        resolver = self.make(tmp_path)
        if isinstance(resolver, AdvisingResolver):
            said = resolver.advise(self.lent(tmp_path).settings)
            assert said.strip()
            assert said.isprintable()

    async def test_publish_replaces(self, opening: Opening) -> None:
        """A second publish forgets the names that only the first one held."""
        async with opening as resolver:
            await resolver.publish([API])
            assert self.lookup() == {"api.shop.localhost": "127.0.0.1"}
            await resolver.publish([WEB])
            assert self.lookup() == {"web.shop.localhost": "127.0.0.2"}

    async def test_a_name_may_have_two_addresses(self, opening: Opening) -> None:
        """The daemon publishes each name with an IPv4 and an IPv6 address; one is looked up."""
        async with opening as resolver:
            await resolver.publish([API, API_6, WEB])
            found = self.lookup()
            assert found.keys() == {"api.shop.localhost", "web.shop.localhost"}
            assert found["api.shop.localhost"] in {"127.0.0.1", "::1"}
            await resolver.publish([WEB])
            assert self.lookup() == {"web.shop.localhost": "127.0.0.2"}

    async def test_publish_twice_is_harmless(self, opening: Opening) -> None:
        """Publishing the same names again changes nothing."""
        async with opening as resolver:
            await resolver.publish([API, WEB])
            once = self.lookup()
            await resolver.publish([API, WEB])
            assert self.lookup() == once

    async def test_publishing_nothing_withdraws(self, opening: Opening) -> None:
        """No names are a valid set of names."""
        async with opening as resolver:
            await resolver.publish([API])
            await resolver.publish([])
            assert self.lookup() == {}

    async def test_leaving_withdraws_everything(self, opening: Opening) -> None:
        """Nothing of ours resolves once the context is left."""
        async with opening as resolver:
            await resolver.publish([API])
        assert self.lookup() == {}

    async def test_an_error_while_open_still_withdraws(self, opening: Opening) -> None:
        """Leaving through an error withdraws the names too, and lets the error out."""
        with pytest.raises(ZeroDivisionError):
            await break_off(opening, lambda resolver: resolver.publish([API]))
        assert self.lookup() == {}

    async def test_may_be_opened_again(self, tmp_path: Path) -> None:
        """One offer serves one opening after another: the daemon reads its config anew."""
        resolver = self.make(tmp_path)
        for _ in range(2):
            async with resolver.open(self.lent(tmp_path)) as opened:
                await opened.publish([API])
                assert self.lookup() == {"api.shop.localhost": "127.0.0.1"}
