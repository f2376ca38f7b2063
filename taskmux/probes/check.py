"""A shell command that knows whether the task is well."""

from __future__ import annotations

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, ShellRun, TaskFacts
from taskmux.lifecycle import describe_exit

from .named import check_named

LONGEST = 200
"""Characters of the command's last line that are shown; the log has all of it."""


class CheckProbe:
    """Runs `health_check` with the task's folder and environment; exit 0 is well."""

    name = "health_check"
    summary = "Run the shell command of health_check; exit 0 is well."
    rank = 20

    def applies(self, task: TaskFacts) -> bool:
        """Return whether the table has a `health_check`."""
        check_named(task, self.name, needs="health_check")
        return bool(task.health_check)

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what runs the command once."""
        command = target.task.health_check or ""

        async def ask() -> ProbeResult:
            return judge(await target.run(command))

        return ask


def judge(run: ShellRun) -> ProbeResult:
    """Return what a run says of the task: how it ended, with its last words if it failed."""
    detail = describe_exit(run.status)
    lines = run.tail.strip().splitlines()
    if run.status != 0 and lines:
        detail = f"{detail}: {lines[-1].strip()[:LONGEST]}"
    return ProbeResult(run.status == 0, detail)
