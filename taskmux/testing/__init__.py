"""Contracts a plugin proves by subclassing them in its own test suite.

A contract is a class of tests with holes: methods that the plugin supplies.
Name the subclass `Test…` and pytest runs every inherited test against your
plugin, each under its own name. Needs the extra `taskmux[testing]`.
"""

from __future__ import annotations

from .probes import AskingProbeContract, HealthProbeContract, probe_target
from .resolvers import HostResolverContract
from .tunnels import TunnelBackendContract
from .writers import ContextWriterContract

__all__ = [
    "AskingProbeContract", "ContextWriterContract", "HealthProbeContract", "HostResolverContract",
    "TunnelBackendContract", "probe_target",
]  # fmt: skip
