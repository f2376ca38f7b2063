from __future__ import annotations

import sys
from pathlib import Path

import pytest

from taskmux.plugins import Plugins, describe, names, sources


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def wheel(site: Path, name: str, points: str, module: str = "") -> None:
    """Put a distribution where an installer would have."""
    metadata = site / f"{name.replace('-', '_')}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text(points)
    if module:
        (site / f"{module}.py").write_text(OFFERING)


OFFERING = """
from pluggy import HookimplMarker


class Probe:
    name = "alive"
    summary = "Another one."
    rank = 1

    def applies(self, task):
        return True

    def prepare(self, target):
        raise NotImplementedError


@HookimplMarker("taskmux")
def taskmux_health_probes():
    yield Probe()
"""


def test_what_taskmux_has_comes_first_whatever_a_plugin_calls_itself(site: Path) -> None:
    wheel(site, "taskmux-aaa", "[taskmux]\naaa = taskmux_aaa_of_a_test\n", "taskmux_aaa_of_a_test")
    plugins = Plugins()
    assert plugins.probes["alive"].summary != "Another one."
    assert "'alive' is offered already" in str(plugins.broken["aaa"])


def test_two_distributions_with_a_plugin_of_one_name_are_told_apart(site: Path) -> None:
    wheel(site, "first", "[taskmux]\nsame = first_of_a_test\n", "first_of_a_test")
    wheel(site, "second", "[taskmux]\nsame = second_of_a_test\n", "second_of_a_test")
    plugins = Plugins()
    used = plugins.found["same"].distribution
    other = {"first": "second", "second": "first"}[used or ""]
    assert str(plugins.broken["same"]) == (
        f"same could not be loaded from {other}: "
        f"there is a plugin of that name in {used}, which is used"
    )
    assert plugins.broken["same"].hint == f"uninstall {used} or {other}"


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ("[taskmux]\nbroken\n", "broken could not be imported: its entry_points.txt cannot be"),
        ("[taskmux]\nbroken = !\n", "broken could not be imported: "),
        ("[taskmux]\nbroken = nowhere_of_a_test\n", "No module named 'nowhere_of_a_test'"),
        ("[taskmux]\nbroken = sys:nothing\n", "broken could not be imported: AttributeError"),
        ("[taskmux]\nbroken =\n", "broken could not be imported: "),
    ],
)
def test_an_entry_point_that_is_broken_costs_its_plugin(site: Path, points: str, why: str) -> None:
    wheel(site, "broken", points)
    plugins = Plugins()
    assert why in str(plugins.broken["broken"])
    assert "alive" in plugins.probes
    [one] = [one for one in describe(plugins).plugins if one.name == "broken"]
    assert (one.ok, one.distribution, one.version) == (False, "broken", "1.2")


def test_other_distributions_may_be_damaged_as_they_like(site: Path) -> None:
    wheel(site, "damaged", "[console_scripts]\nnonsense\n")
    (site / "empty-1.0.dist-info").mkdir()
    (site / "taskless-1.0.dist-info").mkdir()
    (site / "taskless-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    assert {"damaged", "empty", "taskless"}.isdisjoint(Plugins().found)


def test_a_distribution_without_metadata_has_plugins_all_the_same(site: Path) -> None:
    wheel(site, "bare", "[taskmux]\nbare = bare_of_a_test\n", "bare_of_a_test")
    (site / "bare-1.2.dist-info" / "METADATA").unlink()
    assert "bare" in Plugins().found


def test_names_are_known_without_an_import(site: Path) -> None:
    wheel(site, "there", "[taskmux]\nthere = there_of_a_test\n", "there_of_a_test")
    assert {"there", "probes", "gone"} <= names(["gone"])
    assert "there_of_a_test" not in sys.modules
    assert {type(one).__name__ for one in sources()} == {"EntryPoint"}
