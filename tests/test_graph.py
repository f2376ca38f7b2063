from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskmux.errors import DependencyCycle, DependsOnItself, TaskmuxError, UnknownDependency
from taskmux.graph import check, dependents, needed, reverse, waves

Graph = dict[str, list[str]]

SHOP: Graph = {
    "web": ["api"],
    "db": [],
    "migrate": ["db"],
    "api": ["migrate", "cache"],
    "cache": [],
    "docs": [],
}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1))
    return {name: draw(st.lists(st.sampled_from(names), unique=True)) for name in names}


@st.composite
def acyclic(draw: st.DrawFn) -> Graph:
    order = draw(st.permutations("abcdefgh"))
    found = {
        name: draw(st.lists(st.sampled_from(order[:place]), unique=True)) if place else []
        for place, name in enumerate(order)
    }
    return {name: found[name] for name in draw(st.permutations(order))}


def reachable(graph: Graph, start: str) -> set[str]:
    """Return what `start` depends on, by the plainest of algorithms."""
    found: set[str] = set()
    while more := {need for task in {start, *found} for need in graph[task]} - found:
        found |= more
    return found


def test_a_start_needs_what_its_tasks_depend_on_in_the_order_of_the_file() -> None:
    assert needed(SHOP, ["web"]) == ["web", "db", "migrate", "api", "cache"]
    assert needed(SHOP, ["docs"]) == ["docs"]
    assert needed(SHOP, []) == []


def test_a_stop_takes_along_what_depends_on_it() -> None:
    assert dependents(SHOP, ["db"]) == ["web", "db", "migrate", "api"]
    assert dependents(SHOP, ["web", "docs"]) == ["web", "docs"]


def test_reversing_says_who_is_needed_by_whom() -> None:
    assert reverse(SHOP) == {
        "web": [], "db": ["migrate"], "migrate": ["api"], "api": ["web"], "cache": ["api"],
        "docs": [],
    }  # fmt: skip


def test_waves_start_as_much_at_once_as_can_be() -> None:
    assert waves(SHOP) == [["db", "cache", "docs"], ["migrate"], ["api"], ["web"]]


def test_a_name_that_is_no_task_is_named_with_the_one_meant() -> None:
    with pytest.raises(UnknownDependency) as caught:
        check({"web": ["apo"], "api": []})
    assert caught.value.facts == {"task": "web", "dependency": "apo"}
    assert caught.value.hint == "did you mean 'api'?"


def test_a_task_that_depends_on_itself_is_named() -> None:
    with pytest.raises(DependsOnItself) as caught:
        check({"api": [], "web": ["api", "web"]})
    assert caught.value.facts == {"task": "web"}


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        ({"a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c", "a"]),
        ({"c": ["a"], "b": ["c"], "a": ["b"]}, ["c", "a", "b", "c"]),
        ({"x": ["a"], "a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
        ({"a": [], "y": ["a"], "b": ["c"], "c": ["b"]}, ["b", "c", "b"]),
        ({"x": ["b"], "a": ["b"], "b": ["a"]}, ["a", "b", "a"]),
    ],
)
def test_a_cycle_reads_from_dependent_to_dependency(graph: Graph, cycle: list[str]) -> None:
    with pytest.raises(DependencyCycle) as caught:
        check(graph)
    assert caught.value.facts == {"cycle": cycle}
    assert str(caught.value) == f"tasks depend on each other: {' → '.join(cycle)}"
    assert caught.value.hint == (
        f"remove one of these dependencies, e.g. {cycle[1]!r} from {cycle[0]}"
    )


@given(acyclic())
def test_every_graph_without_a_ring_is_accepted(graph: Graph) -> None:
    check(graph)


@given(graphs())
def test_every_ring_is_found_and_is_one(graph: Graph) -> None:
    ringed = [task for task in graph if task in reachable(graph, task)]
    try:
        check(graph)
    except DependsOnItself as error:
        task = error.facts["task"]
        assert isinstance(task, str)
        assert task in graph[task]
    except DependencyCycle as error:
        cycle = error.facts["cycle"]
        assert isinstance(cycle, list)
        assert len(cycle) > 2
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(need in graph[task] for task, need in pairwise(cycle))
        assert cycle[0] == min(cycle, key=list(graph).index)
    else:
        assert not ringed


@given(graphs(), st.text(alphabet="abcxyz", min_size=1, max_size=2))
def test_a_dependency_that_does_not_exist_is_never_accepted(graph: Graph, name: str) -> None:
    first = next(iter(graph))
    strange = {**graph, first: [*graph[first], f"-{name}"]}
    with pytest.raises(TaskmuxError):
        check(strange)


@given(graphs(), st.data())
def test_what_is_needed_is_closed_and_nothing_is_superfluous(
    graph: Graph, data: st.DataObject
) -> None:
    asked = data.draw(st.lists(st.sampled_from(list(graph))))
    expected = set(asked).union(*(reachable(graph, task) for task in asked))
    assert needed(graph, asked) == [task for task in graph if task in expected]


@given(graphs(), st.data())
def test_dependents_are_those_that_need_it(graph: Graph, data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(list(graph)))
    expected = {other for other in graph if task in reachable(graph, other)} | {task}
    assert dependents(graph, [task]) == [other for other in graph if other in expected]


@given(graphs())
def test_reversing_twice_changes_nothing(graph: Graph) -> None:
    assert reverse(reverse(graph)) == {
        task: sorted(needs, key=list(graph).index) for task, needs in graph.items()
    }


@given(acyclic())
def test_each_wave_is_ready_after_those_before_it_and_not_sooner(graph: Graph) -> None:
    found = waves(graph)
    wave = {task: place for place, tasks in enumerate(found) for task in tasks}
    assert wave == {task: wave[task] for task in graph}
    assert sum(map(len, found)) == len(graph)
    for task, needs in graph.items():
        assert wave[task] == max((wave[need] + 1 for need in needs), default=0)
    assert all(tasks == [task for task in graph if task in tasks] for tasks in found)


def test_a_ring_and_a_chain_of_thousands_are_no_trouble() -> None:
    names = [f"t{number}" for number in range(5000)]
    chain = {name: [after] for name, after in pairwise(names)} | {"t4999": []}
    check(chain)
    assert needed(chain, ["t0"]) == names
    with pytest.raises(DependencyCycle) as caught:
        check(chain | {"t4999": ["t0"]})
    assert caught.value.facts["cycle"] == [*names, "t0"]
