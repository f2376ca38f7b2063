"""What every tunnel backend must prove."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from taskmux.contracts import OpenTunnel, TunnelBackend, TunnelRoute

from .lent import AsyncContract, assert_described, break_off, lend

API = TunnelRoute("shop", "api", "api.example.org", "https://api.shop.localhost")
WEB = TunnelRoute("shop", "web", "web.example.org", "https://web.shop.localhost")

Opening = AbstractAsyncContextManager[OpenTunnel]


class TunnelBackendContract(AsyncContract, ABC):
    """What taskmux relies on from every tunnel backend."""

    @abstractmethod
    def make(self, folder: Path) -> TunnelBackend:
        """Return the backend under test, set up; it touches nothing outside `folder`."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return settings it can work with."""

    @abstractmethod
    def reached(self) -> Collection[str]:
        """Return the name of every task that can now be reached because of the plugin."""

    @pytest.fixture
    def opening(self, tmp_path: Path) -> Opening:
        """Return a fresh backend's context, not yet entered."""
        return self.make(tmp_path).open(lend(tmp_path, self.settings()))

    def test_is_described(self, tmp_path: Path) -> None:
        """Name and summary fit where they are shown, and no setting is asked for twice."""
        backend = self.make(tmp_path)
        assert_described(backend.name, backend.summary)
        for setting in backend.settings:
            assert_described(setting.name, setting.title)
        assert len({setting.name for setting in backend.settings}) == len(backend.settings)

    async def test_publish_replaces(self, opening: Opening) -> None:
        """A second publish ends the routes that only the first one held."""
        async with opening as tunnel:
            await tunnel.publish([API])
            assert set(self.reached()) == {"api"}
            await tunnel.publish([WEB])
            assert set(self.reached()) == {"web"}

    async def test_publish_twice_is_harmless(self, opening: Opening) -> None:
        """Publishing the same routes again changes nothing."""
        async with opening as tunnel:
            for _ in range(2):
                await tunnel.publish([API, WEB])
                assert set(self.reached()) == {"api", "web"}

    async def test_leaving_withdraws_everything(self, opening: Opening) -> None:
        """Nothing is reachable once the context is left."""
        async with opening as tunnel:
            await tunnel.publish([API])
        assert not self.reached()

    async def test_an_error_while_open_still_withdraws(self, opening: Opening) -> None:
        """Leaving through an error withdraws the routes too, and lets the error out."""
        with pytest.raises(ZeroDivisionError):
            await break_off(opening, lambda tunnel: tunnel.publish([API]))
        assert not self.reached()

    async def test_status_tells_of_every_route_and_no_other(self, opening: Opening) -> None:
        """There is one state a route published, with words, and none for those withdrawn."""
        async with opening as tunnel:
            assert not tunnel.status()
            await tunnel.publish([API, WEB])
            assert sorted(state.task for state in tunnel.status()) == ["api", "web"]
            assert all(state.detail for state in tunnel.status())
            await tunnel.publish([WEB])
            assert [state.task for state in tunnel.status()] == ["web"]

    async def test_a_check_changes_nothing(self, tmp_path: Path) -> None:
        """Preflight checks pass with good settings, and only look."""
        checks = await self.make(tmp_path).check(self.settings(), [API])
        assert [check for check in checks if not check.ok] == []
        assert not self.reached()

    async def test_a_check_that_fails_says_what_to_do(self, tmp_path: Path) -> None:
        """Without its required settings some check fails, and each that does has a fix."""
        backend = self.make(tmp_path)
        failed = [check for check in await backend.check({}, [API]) if not check.ok]
        assert all(check.detail and check.fix for check in failed)
        assert failed or not any(setting.required for setting in backend.settings)

    async def test_setup_twice_is_harmless(self, tmp_path: Path) -> None:
        """Setting up what is set up changes nothing, and makes nothing reachable."""
        backend = self.make(tmp_path)
        for _ in range(2):
            await backend.setup(self.settings(), [API])
        assert not self.reached()

    async def test_choices_are_values_with_titles(self, tmp_path: Path) -> None:
        """Every setting can be asked for its choices, before anything is known."""
        backend = self.make(tmp_path)
        for setting in backend.settings:
            for value, title in await backend.choices(setting.name, {}):
                assert value
                assert title
