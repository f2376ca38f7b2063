"""Resolve taskmux's host names with a DNS server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pluggy import HookimplMarker

if TYPE_CHECKING:
    import typer

    from taskmux.contracts import Command, HostResolver

hookimpl = HookimplMarker("taskmux")


@hookimpl
def taskmux_host_resolvers() -> Iterator[HostResolver]:
    """Offer `dns_server`."""
    from .resolver import DnsResolver

    yield DnsResolver()


@hookimpl
def taskmux_commands() -> Iterator[Command]:
    """Offer `taskmux dns`."""

    def dns() -> typer.Typer:
        from .commands import dns_app

        return dns_app()

    yield "dns", dns
