"""Resolve taskmux's host names through the system's hosts file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pluggy import HookimplMarker

if TYPE_CHECKING:
    from taskmux.contracts import HostResolver

hookimpl = HookimplMarker("taskmux")


@hookimpl
def taskmux_host_resolvers() -> Iterator[HostResolver]:
    """Offer `etc_hosts`."""
    from .resolver import HostsResolver

    yield HostsResolver()
