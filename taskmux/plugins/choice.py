"""Which of the probes on offer asks after a task."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from taskmux.contracts import HealthProbe, TaskFacts
from taskmux.errors import NobodyOffers, PluginFailed

from .calls import called

LIMIT = 2.0
"""Seconds to say whether a probe applies: it is a look at a table, and others wait for it."""


def choose_probe(
    probes: Mapping[str, HealthProbe], task: TaskFacts, absent: Collection[str] = ()
) -> HealthProbe:
    """Return the probe `task` names, else the applicable one of lowest rank.

    Raises `NobodyOffers`; `PluginFailed`, naming the probe, if one crashes or
    hangs; and the probe's own `ValueError` for an option that cannot be meant.
    The caller knows file and line, and makes that an `InvalidValue`.
    `absent` are the plugins that might have offered more.
    """
    if task.health_probe is not None:
        if task.health_probe not in probes:
            raise NobodyOffers("health probe", task.health_probe, probes, absent)
        _applies(probes[task.health_probe], task)  # not for its answer: it checks the options
        return probes[task.health_probe]
    for probe in sorted(probes.values(), key=lambda probe: (probe.rank, probe.name)):
        if _applies(probe, task):
            return probe
    raise NobodyOffers("health probe for task", task.name, probes, absent)


def _applies(probe: HealthProbe, task: TaskFacts) -> bool:
    try:
        # What it answers may be anything: over there, it is made a yes or a no.
        asking = partial(_yes, probe, task)
        return called(probe.name, "check the task's table", asking, LIMIT)
    except PluginFailed as failure:
        if isinstance(failure.__cause__, ValueError):
            raise failure.__cause__ from None
        raise


def _yes(probe: HealthProbe, task: TaskFacts) -> bool:
    return bool(probe.applies(task))
