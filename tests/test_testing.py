"""The contracts, held by plugins that break them: what each test of a contract is for."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from taskmux.testing import HostResolverContract

BROKEN = """
import json
from contextlib import asynccontextmanager

from taskmux.contracts import ProbeResult, TaskFacts
from taskmux.testing import (
    AskingProbeContract, ContextWriterContract, HostResolverContract, probe_target, probes
)

probes.PLENTY = 0.5


class Names:
    name, summary = "names", "Keep the names in a file."
    settings = {}

    def __init__(self, folder):
        self.path = folder / "names"

    def prepare_as_root(self, names, settings): ...

    @asynccontextmanager
    async def open(self, context):
        try:
            yield self
        finally:
            self.path.unlink(missing_ok=True)

    async def publish(self, records):
        self.write({record.name: str(record.address) for record in records})

    def write(self, names):
        self.path.write_text(json.dumps(names))

    def read(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}


class Resolvers(HostResolverContract):
    kind = Names

    def make(self, folder):
        self.names = self.kind(folder)
        return self.names

    def lookup(self):
        return self.names.read()


class TestGood(Resolvers):
    pass


class TestUndescribed(Resolvers):
    class kind(Names):
        name = "two words"


class TestAdding(Resolvers):
    class kind(Names):
        async def publish(self, records):
            self.write(self.read() | {r.name: str(r.address) for r in records})


class TestToggling(Resolvers):
    class kind(Names):
        async def publish(self, records):
            new = {record.name: str(record.address) for record in records}
            self.write({} if new == self.read() else new)


class TestLeaving(Resolvers):
    class kind(Names):
        @asynccontextmanager
        async def open(self, context):
            yield self
            self.path.unlink()


class TestForgetful(Resolvers):
    class kind(Names):
        @asynccontextmanager
        async def open(self, context):
            yield self


class TestOnce(Resolvers):
    class kind(Names):
        @asynccontextmanager
        async def open(self, context):
            assert not hasattr(self, "opened")
            self.opened = True
            async with super().open(context) as names:
                yield names


class TestStrange(Resolvers):
    class kind(Names):
        def open(self, context):
            assert not set(context.settings) - {"file"}
            return super().open(context)


class TestOneAddress(Resolvers):
    class kind(Names):
        async def publish(self, records):
            assert len({record.name for record in records}) == len(records)
            await super().publish(records)


class Look:
    name, summary, rank = "look", "Look at a file.", 50

    def applies(self, task):
        return task.health_probe == "look"

    def prepare(self, target):
        async def ask():
            return self.answer((target.cwd / target.task.health_options["file"]).exists())

        return ask

    def answer(self, there):
        return ProbeResult(there, "there" if there else "missing")


class Probes(AskingProbeContract):
    kind = Look

    def make(self):
        return self.kind()

    def target(self, folder, file):
        options = {"file": file}
        return probe_target(TaskFacts("x", health_probe="look", health_options=options), folder)

    @asynccontextmanager
    async def well(self, folder):
        (folder / "there").touch()
        yield self.target(folder, "there")

    @asynccontextmanager
    async def unwell(self, folder):
        yield self.target(folder, "missing")

    @asynccontextmanager
    async def silent(self, folder):
        yield self.target(folder, "missing")


class TestUnasked(Probes):
    class kind(Look):
        def prepare(self, target):
            look = super().prepare(target)

            async def ask():
                import anyio

                if not (answer := await look()).ok:
                    await anyio.sleep(0.1)
                return answer

            return ask


class TestMute(TestUnasked):
    class kind(TestUnasked.kind):
        def answer(self, there):
            return ProbeResult(there, "")


class TestMixing(TestUnasked):
    class kind(TestUnasked.kind):
        file = None

        def prepare(self, target):
            self.file = target.task.health_options["file"]

            async def ask():
                import anyio

                if not (there := (target.cwd / self.file).exists()):
                    await anyio.sleep(0.1)
                return self.answer(there)

            return ask


class TestPresuming(TestUnasked):
    class kind(TestUnasked.kind):
        def applies(self, task):
            return task.health_options["file"] == "there"


class TestUncertain(TestUnasked):
    class kind(TestUnasked.kind):
        said = False

        def applies(self, task):
            self.said = not self.said
            return self.said


class TestImpatient(Probes):
    pass


class Plain:
    name, path = "plain", "TASKS.txt"

    def render(self, facts, old_text):
        kept = "".join(x for x in old_text.splitlines(True) if not x.startswith("- task "))
        kept += "" if kept.endswith("\\n") or not kept else "\\n"
        return kept + "".join(f"- task {name}: {url}\\n" for name, url in facts.urls.items())


class Writers(ContextWriterContract):
    kind = Plain

    def make(self):
        return self.kind()


class TestOutside(Writers):
    class kind(Plain):
        path = "../TASKS.txt"


class TestSilent(Writers):
    class kind(Plain):
        def render(self, facts, old_text):
            return old_text


class TestGreedy(Writers):
    class kind(Plain):
        def render(self, facts, old_text):
            return super().render(facts, "")


class TestGrowing(Writers):
    class kind(Plain):
        def render(self, facts, old_text):
            return old_text + super().render(facts, "")
"""

CAUGHT = {
    "TestUndescribed": {"is_described"},
    "TestAdding": {
        "publish_replaces", "publishing_nothing_withdraws", "a_name_may_have_two_addresses",
    },
    "TestToggling": {"publish_twice_is_harmless"},
    "TestLeaving": {"an_error_while_open_still_withdraws"},
    "TestForgetful": {
        "leaving_withdraws_everything", "an_error_while_open_still_withdraws",
    },
    "TestOnce": {"may_be_opened_again"},
    "TestStrange": {"may_be_opened_again"},  # and the others cannot even begin
    "TestOneAddress": {"a_name_may_have_two_addresses"},
    "TestMute": {"says_when_a_task_is_well", "says_when_a_task_is_not_well"},
    "TestMixing": {"lives_are_kept_apart"},
    "TestPresuming": {"a_plain_table_is_no_error"},
    "TestUncertain": {"a_table_that_asks_for_it_is_accepted"},
    "TestImpatient": {"a_question_can_be_given_up"},
    "TestOutside": {"is_described"},
    "TestSilent": {"tells_of_every_task"},
    "TestGreedy": {"keeps_what_people_wrote"},
    "TestGrowing": {
        "keeps_what_people_wrote", "its_own_output_is_settled", "replaces_what_it_wrote_before",
    },
}  # fmt: skip


def test_each_test_of_a_contract_fails_for_who_breaks_it(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text(BROKEN)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rf", "--tb=no", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    failed: defaultdict[str, set[str]] = defaultdict(set)
    for line in done.stdout.splitlines():
        if line.startswith("FAILED "):
            _, kind, test = line.split(" ")[1].split("::")
            failed[kind].add(test.partition("[")[0].removeprefix("test_"))
    assert failed == CAUGHT


def test_a_contract_with_a_hole_is_not_passed_over() -> None:
    def make(self: object, folder: Path) -> None:
        """Make nothing."""

    with pytest.raises(TypeError, match="TestNames needs `lookup`: Return name and address of all"):
        type("TestNames", (HostResolverContract,), {"make": make})
    type("Names", (HostResolverContract,), {"make": make})
