"""What every context writer must prove."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import PurePosixPath

import pytest

from taskmux.contracts import ContextWriter, ProjectFacts

from .lent import Contract, assert_described

SHOP = ProjectFacts("shop", {"api": "https://api.shop.localhost", "worker": None})
FEWER = ProjectFacts("shop", {"api": "https://api.shop.localhost"})
EMPTY = ProjectFacts("shop", {})

OLD = [
    pytest.param("", id="new"),
    pytest.param("# Shop\n\nRun `make`.\n", id="text"),
    pytest.param("# Shop\n\nRun `make`.", id="no final newline"),
    pytest.param("# Shop\r\n\r\nRun `make`.\r\n", id="CRLF"),
]


class ContextWriterContract(Contract, ABC):
    """What taskmux relies on from every context writer."""

    @abstractmethod
    def make(self) -> ContextWriter:
        """Return the writer under test."""

    def test_is_described(self) -> None:
        """Name and path fit where they are shown, and the path stays inside the project."""
        writer = self.make()
        assert_described(writer.name, writer.path)
        path = PurePosixPath(writer.path)
        assert not path.is_absolute()
        assert ".." not in path.parts

    @pytest.mark.parametrize("old", OLD)
    def test_tells_of_every_task(self, old: str) -> None:
        """Every task is named, with its address where it has one."""
        text = self.make().render(SHOP, old)
        assert "api" in text
        assert "https://api.shop.localhost" in text
        assert "worker" in text

    @pytest.mark.parametrize("facts", [SHOP, EMPTY], ids=["tasks", "no tasks"])
    @pytest.mark.parametrize("old", OLD)
    def test_keeps_what_people_wrote(self, old: str, facts: ProjectFacts) -> None:
        """Every line that was there before is there after, unchanged and in order."""
        assert _in_order(old.splitlines(), self.make().render(facts, old).splitlines())

    @pytest.mark.parametrize("old", OLD)
    def test_its_own_output_is_settled(self, old: str) -> None:
        """Rendering what was rendered changes nothing."""
        once = self.make().render(SHOP, old)
        assert self.make().render(SHOP, once) == once

    @pytest.mark.parametrize("facts", [FEWER, EMPTY], ids=["fewer", "none"])
    @pytest.mark.parametrize("old", OLD)
    def test_replaces_what_it_wrote_before(self, old: str, facts: ProjectFacts) -> None:
        """A task that is gone leaves no trace: the text is as if it had never been there."""
        writer = self.make()
        settled = writer.render(facts, writer.render(facts, old))
        assert writer.render(facts, writer.render(SHOP, settled)) == settled


def _in_order(wanted: list[str], lines: list[str]) -> bool:
    rest = iter(lines)
    return all(line in rest for line in wanted)
