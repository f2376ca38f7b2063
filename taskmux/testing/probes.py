"""What every health probe must prove."""

from __future__ import annotations

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import anyio
import pytest

from taskmux.contracts import HealthProbe, Probe, ProbeResult, ProbeTarget, ShellRun, TaskFacts

from .lent import AsyncContract, assert_described

PLENTY = 10.0
"""Seconds for anything that should come at once."""

Life = AbstractAsyncContextManager[ProbeTarget]


def probe_target(
    task: TaskFacts,
    folder: Path,
    *,
    port: int = 1,
    listening: Callable[[], Awaitable[Sequence[int]]] | None = None,
) -> ProbeTarget:
    """Return a target like the daemon's: its commands really run, in `folder`.

    Nothing listens on the default `port`. Without `listening`, the task listens nowhere.
    """
    environ = dict(os.environ) | {"PORT": str(port)}
    return ProbeTarget(
        task=task,
        port=port,
        pid=os.getpid(),
        cwd=folder,
        environ=environ,
        run=partial(_run, folder, environ),
        listening=listening or _nowhere,
    )


class HealthProbeContract(AsyncContract, ABC):
    """What taskmux relies on from every health probe."""

    @abstractmethod
    def make(self) -> HealthProbe:
        """Return the probe under test."""

    @abstractmethod
    def well(self, folder: Path) -> Life:
        """Return a task whose table asks for this probe, and which is well while entered.

        It may take a moment, and some questions, to become so. One test enters this and
        `unwell` at once, in the same `folder`.
        """

    @abstractmethod
    def unwell(self, folder: Path) -> Life:
        """Return one that is not well, or not yet."""

    def test_is_described(self) -> None:
        """Name, summary and rank fit where they are shown and used."""
        probe = self.make()
        assert_described(probe.name, probe.summary)
        assert isinstance(probe.rank, int)

    def test_a_plain_table_is_no_error(self) -> None:
        """A table that says nothing of health gets a yes or a no."""
        assert self.make().applies(TaskFacts("web")) in {True, False}

    async def test_a_table_that_asks_for_it_is_accepted(self, tmp_path: Path) -> None:
        """The table of a task that is well gets the same answer each time, without an error."""
        async with self.well(tmp_path) as target:
            probe = self.make()
            assert probe.applies(target.task) is probe.applies(target.task)

    async def test_says_when_a_task_is_well(self, tmp_path: Path) -> None:
        """The answer is yes before long, stays so, and has words."""
        async with self.well(tmp_path) as target:
            ask = self.make().prepare(target)
            await _until_well(ask)
            with anyio.fail_after(PLENTY):
                assert _worded(await ask()).ok

    async def test_says_when_a_task_is_not_well(self, tmp_path: Path) -> None:
        """The answer is no, with the reason in one line, and no exception."""
        async with self.unwell(tmp_path) as target:
            with anyio.fail_after(PLENTY):
                assert not _worded(await self.make().prepare(target)()).ok

    async def test_lives_are_kept_apart(self, tmp_path: Path) -> None:
        """One probe serves several tasks at a time, and what it says of one is not of another."""
        async with self.well(tmp_path) as good, self.unwell(tmp_path) as bad:
            probe = self.make()
            ask_good, ask_bad = probe.prepare(good), probe.prepare(bad)
            with anyio.fail_after(PLENTY):
                assert not (await ask_bad()).ok
            await _until_well(ask_good)


class AskingProbeContract(HealthProbeContract):
    """What it relies on besides from a probe that asks somebody who may never answer."""

    @abstractmethod
    def silent(self, folder: Path) -> Life:
        """Return a task whose probe is never answered."""

    async def test_a_question_can_be_given_up(self, tmp_path: Path) -> None:
        """Cancelled while nobody answers, it ends at once."""
        async with self.silent(tmp_path) as target:
            with anyio.fail_after(PLENTY), anyio.move_on_after(0.05) as scope:
                await self.make().prepare(target)()
            assert scope.cancelled_caught


def _worded(result: ProbeResult) -> ProbeResult:
    assert result.detail.strip()
    assert "\n" not in result.detail
    return result


async def _until_well(ask: Probe) -> None:
    said = "there was none"
    with anyio.move_on_after(PLENTY):
        while not (result := await ask()).ok:
            said = result.detail
            await anyio.sleep(0.01)
        return
    pytest.fail(f"not well within {PLENTY:g} s; the last answer: {said}")


async def _run(folder: Path, environ: dict[str, str], command: str) -> ShellRun:
    shell = ["/bin/sh", "-c", command]
    start = partial(anyio.open_process, stderr=subprocess.STDOUT, start_new_session=True)
    with anyio.CancelScope(shield=True):  # a process half made is one that nobody ends
        process = await start(shell, cwd=folder, env=environ)
    assert process.stdout is not None
    async with process:
        try:
            output = b"".join([chunk async for chunk in process.stdout])
            return ShellRun(await process.wait(), output.decode(errors="replace"))
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)


async def _nowhere() -> Sequence[int]:
    return ()
