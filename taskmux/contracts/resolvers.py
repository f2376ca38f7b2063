"""Host resolvers: names that a browser on this machine can reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from .context import PluginContext


@dataclass(frozen=True, slots=True)
class HostRecord:
    """One name that should resolve on this machine, without a final dot, and one address of it.

    The daemon publishes two for each name, 127.0.0.1 and ::1.
    """

    name: str
    address: IPv4Address | IPv6Address


class OpenResolver(Protocol):
    """A resolver at work. Leaving its context withdraws whatever it published."""

    async def publish(self, records: Sequence[HostRecord]) -> None:
        """Make exactly `records` resolve, in place of any published before."""


class HostResolver(Protocol):
    """A way to make names resolve, offered by `taskmux_host_resolvers`."""

    @property
    def name(self) -> str:
        """What users write in `host_resolver = "…"`: lower case, words joined by `_`."""

    @property
    def summary(self) -> str:
        """One line for `taskmux plugins`."""

    def prepare_as_root(self, names: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Edit system files while the daemon is still root; `names` are those known so far.

        The only plugin code that ever runs as root, and only in the resolver
        the user chose. A daemon that started unprivileged never calls it. `settings` are
        those of `PluginContext`, checked by nobody: whoever wrote them is not root.
        """

    def open(self, context: PluginContext) -> AbstractAsyncContextManager[OpenResolver]:
        """Acquire whatever is needed, yield the resolver, give it all back."""


@runtime_checkable
class AdvisingResolver(Protocol):
    """What a `HostResolver` may have besides: words for `doctor` where its names lead nowhere."""

    def advise(self, settings: Mapping[str, Any]) -> str:
        """Return what to do next, as a command where there is one.

        Asked in the command line's process, where nothing is open. `settings` are those of
        `PluginContext`, checked by nobody.
        """
