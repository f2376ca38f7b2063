"""Who depends on whom: which tasks a start needs, in what order things stop. Pure.

Everywhere here a graph is a mapping from each task to the names it depends on,
in the order of taskmux.toml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from .errors import DependencyCycle, DependsOnItself, UnknownDependency

Graph = Mapping[str, Collection[str]]


def check(graph: Graph) -> None:
    """Raise if the graph names a task that is not there, or has a ring in it."""
    for task, needs in graph.items():
        for dependency in needs:
            if dependency == task:
                raise DependsOnItself(task)
            if dependency not in graph:
                raise UnknownDependency(task, dependency, graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib lists each task after one that depends on it; people read the other way.
        raise DependencyCycle(_from_first(error.args[1][::-1], graph)) from None


def needed(graph: Graph, tasks: Iterable[str]) -> list[str]:
    """Return `tasks` and all they depend on, directly or not, in the order of the graph."""
    found: set[str] = set()
    pending = list(tasks)
    while pending:
        task = pending.pop()
        if task not in found:
            found.add(task)
            pending.extend(graph[task])
    return [task for task in graph if task in found]


def dependents(graph: Graph, tasks: Iterable[str]) -> list[str]:
    """Return `tasks` and all that depend on them, directly or not, in the order of the graph."""
    return needed(reverse(graph), tasks)


def reverse(graph: Graph) -> dict[str, list[str]]:
    """Return the same graph with every arrow turned round: who is needed by whom."""
    return {task: [other for other in graph if task in graph[other]] for task in graph}


def waves(graph: Graph) -> list[list[str]]:
    """Return the tasks in groups: each can start when the groups before it are ready."""
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    found = []
    while sorter.is_active():
        ready = set(sorter.get_ready())
        found.append([task for task in graph if task in ready])
        sorter.done(*ready)
    return found


def _from_first(ring: list[str], graph: Graph) -> list[str]:
    # The same ring whichever task graphlib met first: begin with the file's first.
    open_ring = ring[:-1]
    order = {task: place for place, task in enumerate(graph)}
    start = min(range(len(open_ring)), key=lambda place: order[open_ring[place]])
    turned = open_ring[start:] + open_ring[:start]
    return [*turned, turned[0]]
