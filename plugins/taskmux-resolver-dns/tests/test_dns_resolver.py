from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from taskmux_resolver_dns.asking import NoAnswer, ask
from taskmux_resolver_dns.delegation import MARK
from taskmux_resolver_dns.resolver import DnsResolver
from taskmux_resolver_dns.settings import SettingWrong
from taskmux_resolver_dns.system import System, Undelegated

from taskmux.contracts import AdvisingResolver, HostResolver, OpenResolver, PluginContext
from taskmux.plugins import Plugins
from taskmux.testing import HostResolverContract
from tests.loopback import free_port

NAMES = ("api.shop.localhost", "web.shop.localhost")


class InAThread:
    """The resolver with a loop of its own, so that a test may ask it while it waits."""

    name = DnsResolver.name
    summary = DnsResolver.summary

    def __init__(self) -> None:
        self.resolver = DnsResolver()

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.resolver.prepare_as_root(names, settings)

    @asynccontextmanager
    async def open(self, context: PluginContext) -> AsyncIterator[OpenResolver]:
        with start_blocking_portal() as portal:
            there: Any = self.resolver.open(context)
            with portal.wrap_async_context_manager(there) as opened:
                yield Published(portal, opened)


class Published:
    def __init__(self, portal: BlockingPortal, opened: OpenResolver) -> None:
        self.portal, self.opened = portal, opened

    async def publish(self, records: Any) -> None:
        self.portal.call(self.opened.publish, records)


class TestDnsResolver(HostResolverContract):
    def make(self, folder: Path) -> HostResolver:
        self.port = free_port()
        return InAThread()

    def settings(self) -> Mapping[str, Any]:
        # Below its own domain everything resolves, so there a name tells nothing.
        return {"dns_server_port": self.port, "dns_managed_tld": "test"}

    def lookup(self) -> Mapping[str, str]:
        try:
            replies = {name: ask(name, "A", self.port, "udp") for name in NAMES}
        except NoAnswer:
            return {}
        found = {name: reply for name, reply in replies.items() if reply.rcode == "NOERROR"}
        return {name: reply.records[0].data for name, reply in found.items()}


def test_taskmux_finds_it_by_its_entry_point() -> None:
    plugins = Plugins()
    resolver = plugins.resolvers["dns_server"]
    assert isinstance(resolver, DnsResolver)
    assert "dns" in plugins.commands
    assert "resolver-dns" not in plugins.broken


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "run `sudo taskmux dns install`, which"),
        ({"dns_server_port": 53}, "run `sudo taskmux dns install --port 53`, which"),
        ({"dns_managed_tld": "test"}, 'set `dns_managed_tld = "localhost"`'),
    ],
)
def test_what_to_do_depends_on_the_settings(settings: dict[str, Any], said: str) -> None:
    resolver = Plugins().resolvers["dns_server"]
    assert isinstance(resolver, AdvisingResolver)
    assert resolver.advise(settings).startswith(said)


# What root prepares


@pytest.fixture
def system(tmp_path: Path) -> System:
    """Return a Mac whose commands write down how they were run."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("dscacheutil", "killall"):
        script = commands / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/ran\n')
        script.chmod(0o755)
    return System("darwin", top=tmp_path, path=str(commands))


def test_root_has_the_system_ask_once(system: System) -> None:
    resolver = DnsResolver(system)
    for _ in range(2):
        resolver.prepare_as_root(["api.localhost"], {})
    placed = system.top / "etc/resolver/localhost"
    assert placed.read_text() == f"{MARK}\nnameserver 127.0.0.1\nport 5454\n"
    ran = (system.top / "ran").read_text()
    assert ran == "dscacheutil -flushcache\nkillall -HUP mDNSResponder\n"


def test_another_port_is_told(system: System) -> None:
    resolver = DnsResolver(system)
    resolver.prepare_as_root([], {})
    resolver.prepare_as_root([], {"dns_server_port": 5555, "dns_managed_tld": "localhost"})
    assert "port 5555\n" in (system.top / "etc/resolver/localhost").read_text()


def test_with_dns_install_off_the_system_is_left_alone(system: System) -> None:
    DnsResolver(system).prepare_as_root([], {"dns_install": False})
    assert not (system.top / "etc").exists()


@pytest.mark.parametrize(
    ("settings", "trouble"),
    [
        ({"dns_managed_tld": "com"}, Undelegated),
        ({"dns_managed_tld": "../../root"}, SettingWrong),
        ({"dns_server_port": "5454\nnameserver 10.0.0.1"}, SettingWrong),
    ],
)
def test_what_root_is_not_to_do_is_refused(
    system: System, settings: dict[str, Any], trouble: type[Exception]
) -> None:
    with pytest.raises(trouble):
        DnsResolver(system).prepare_as_root([], settings)
    assert not (system.top / "etc").exists()


def test_a_system_that_cannot_be_told_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(Undelegated, match="one server for all names") as trouble:
        DnsResolver(System("linux", top=tmp_path)).prepare_as_root([], {})
    assert "etc_hosts" in trouble.value.__notes__[0]
