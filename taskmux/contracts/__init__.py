"""What crosses the line between taskmux and a plugin, in both directions.

A plugin needs none of these classes at run time: any object of the right shape
will do. taskmux builds what goes in; the Protocols say what must come back, and
`taskmux.testing` holds the tests that prove it. Times are in seconds.
"""

from __future__ import annotations

from .commands import Command, CommandContext, Commands
from .context import PluginContext
from .probes import HealthProbe, Probe, ProbeResult, ProbeTarget, ShellRun, TaskFacts
from .resolvers import AdvisingResolver, HostRecord, HostResolver, OpenResolver
from .tunnels import Check, OpenTunnel, TunnelBackend, TunnelRoute, TunnelSetting, TunnelState
from .writers import ContextWriter, ProjectFacts

__all__ = [
    "AdvisingResolver", "Check", "Command", "CommandContext", "Commands", "ContextWriter",
    "HealthProbe", "HostRecord", "HostResolver", "OpenResolver", "OpenTunnel", "PluginContext",
    "Probe", "ProbeResult", "ProbeTarget", "ProjectFacts", "ShellRun", "TaskFacts", "TunnelBackend",
    "TunnelRoute", "TunnelSetting", "TunnelState",
]  # fmt: skip
