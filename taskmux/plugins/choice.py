"""Which of the probes on offer asks after a task."""

from __future__ import annotations

from collections.abc import Mapping

from taskmux.contracts import HealthProbe, TaskFacts
from taskmux.errors import NobodyOffers, PluginFailed

from .calls import called

LIMIT = 2.0
"""Seconds to say whether a probe applies: it is a look at a table, and others wait for it."""


def choose_probe(probes: Mapping[str, HealthProbe], task: TaskFacts) -> HealthProbe:
    """Return the probe `task` names, else the applicable one of lowest rank.

    Raises `NobodyOffers`; `PluginFailed`, naming the probe, if one crashes or
    hangs; and the probe's own `ValueError` for an option that cannot be meant.
    The caller knows file and line, and makes that an `InvalidValue`.
    """
    if task.health_probe is not None:
        if task.health_probe not in probes:
            raise NobodyOffers("health probe", task.health_probe, probes)
        _applies(probes[task.health_probe], task)  # not for its answer: it checks the options
        return probes[task.health_probe]
    for probe in sorted(probes.values(), key=lambda probe: (probe.rank, probe.name)):
        if _applies(probe, task):
            return probe
    raise NobodyOffers("health probe for task", task.name, probes)


def _applies(probe: HealthProbe, task: TaskFacts) -> bool:
    try:
        return called(probe.name, "check the task's table", lambda: probe.applies(task), LIMIT)
    except PluginFailed as failure:
        if isinstance(failure.__cause__, ValueError):
            raise failure.__cause__ from None
        raise
