"""Probes of others, asked where nothing they do holds up anybody else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from anyio import create_task_group

from taskmux.contracts import HealthProbe, Probe, ProbeResult, ProbeTarget, TaskFacts

from .apart import Apart
from .calls import LIMIT, encodable
from .installed import OURS
from .registry import Plugins


class Elsewhere:
    """The threads of plugins whose probes are asked, each begun when it is first needed."""

    def __init__(self) -> None:
        self._places: dict[str, Apart] = {}

    def keep(self, probe: HealthProbe, plugins: Plugins) -> HealthProbe:
        """Return what asks `probe`, in the thread of the plugin that offers it."""
        plugin = plugins.whose("health probe", probe.name)
        if plugins.found[plugin].distribution == OURS:  # they are known never to block our loop
            return probe
        return _Distant(probe, plugin, self)

    def place(self, plugin: str) -> Apart:
        """Return the thread of a plugin. Raises `RuntimeError` if there is none to be had."""
        known = self._places.get(plugin)
        if known is not None and not known.gone:
            return known
        place = Apart(plugin)
        place.start()
        self._places[plugin] = place
        return place

    async def end(self, limit: float = LIMIT) -> None:
        """End every thread; what takes longer than `limit` is left behind."""
        async with create_task_group() as group:
            for place in self._places.values():
                group.start_soon(place.end, limit)


@dataclass(frozen=True, slots=True)
class _Distant:
    """A probe that is prepared and asked in its plugin's thread."""

    probe: HealthProbe
    plugin: str
    elsewhere: Elsewhere

    @property
    def name(self) -> str:
        return self.probe.name

    @property
    def summary(self) -> str:
        return self.probe.summary

    @property
    def rank(self) -> int:
        return self.probe.rank

    def applies(self, task: TaskFacts) -> bool:
        return self.probe.applies(task)

    def prepare(self, target: ProbeTarget) -> Probe:
        asked: list[Probe] = []

        async def ask() -> ProbeResult:
            there = self.elsewhere.place(self.plugin)
            if not asked:
                prepare = partial(_prepared, self.probe, _as_seen(target, there))
                asked.append(await there.do(prepare))
            return await there.do(partial(_answered, asked[0]))

        return ask


async def _answered(ask: Probe) -> ProbeResult:
    """Return the answer in plain values: what else it was made of stays over there."""
    result = await ask()
    return ProbeResult(bool(result.ok), encodable(result.detail))


async def _prepared(probe: HealthProbe, target: ProbeTarget) -> Probe:
    return probe.prepare(target)


def _as_seen(target: ProbeTarget, there: Apart) -> ProbeTarget:
    """Return the target with what it can be asked brought home to our loop."""
    return replace(
        target, run=there.brought_home(target.run), listening=there.brought_home(target.listening)
    )
