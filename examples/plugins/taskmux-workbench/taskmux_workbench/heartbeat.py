"""A probe for workers that nobody can connect to: they touch a file while they are well."""

from __future__ import annotations

import time
from pathlib import Path

from taskmux.contracts import Probe, ProbeResult, ProbeTarget, TaskFacts


class HeartbeatProbe:
    """Well while a file was written not long ago.

    health_probe = "heartbeat"
    health_options = { file = "tmp/worker.alive", max_age = 10 }
    """

    name = "heartbeat"
    summary = "Well while the file of health_options was written within max_age seconds."
    rank = 50

    def applies(self, task: TaskFacts) -> bool:
        """Return False: only a table that names it means it. Its options are checked here."""
        if task.health_probe == self.name:
            _options(task)
        return False

    def prepare(self, target: ProbeTarget) -> Probe:
        """Return what looks at the file once."""
        file, max_age = _options(target.task)
        path = target.cwd / file

        async def look() -> ProbeResult:
            try:
                age = time.time() - path.stat().st_mtime
            except FileNotFoundError:
                return ProbeResult(ok=False, detail=f"{file} is not there yet")
            return ProbeResult(age <= max_age, f"{file} was written {age:.0f} s ago")

        return look


def _options(task: TaskFacts) -> tuple[Path, float]:
    options = dict(task.health_options)
    file, max_age = options.pop("file", None), options.pop("max_age", 10)
    if not isinstance(file, str):
        raise ValueError('health_options needs a file: { file = "worker.alive" }')
    if isinstance(max_age, bool) or not isinstance(max_age, int | float) or max_age <= 0:
        raise ValueError("max_age is a number of seconds")
    if options:
        raise ValueError(f"health_options has no {', '.join(options)}")
    return Path(file), float(max_age)
