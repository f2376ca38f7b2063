"""What `taskmux plugins` says of a process's plugins."""

from __future__ import annotations

from taskmux.wire import OfferReport, PluginReport, PluginsReport

from .installed import Found
from .offers import Offer
from .registry import Plugins


def describe(plugins: Plugins) -> PluginsReport:
    """Return every plugin with all it offers: asks each hook, so it may block for a while."""
    return PluginsReport(plugins=[_plugin(plugins, found) for found in plugins.found.values()])


def _plugin(plugins: Plugins, found: Found) -> PluginReport:
    offers = [_offer(offer) for offer in plugins.offers(found.name)]
    trouble = plugins.broken.get(found.name)
    return PluginReport(
        name=found.name,
        distribution=found.distribution,
        version=found.version,
        enabled=found.enabled,
        listens=found.name in plugins.listeners,
        offers=offers,
        ok=trouble is None,
        reason=None if trouble is None else str(trouble),
        hint=None if trouble is None else trouble.hint,
    )


def _offer(offer: Offer) -> OfferReport:
    return OfferReport(kind=offer.kind, name=offer.name, summary=offer.summary)
