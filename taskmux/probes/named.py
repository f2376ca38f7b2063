"""What a table may say besides, when it asks for one of our probes by name."""

from __future__ import annotations

from taskmux.contracts import TaskFacts


def check_named(task: TaskFacts, probe: str, needs: str | None = None) -> None:
    """Raise `ValueError` if `task` names `probe` and lacks the key it `needs`, or has options."""
    if task.health_probe != probe:
        return
    if needs is not None and not getattr(task, needs):
        raise ValueError(f"the probe {probe!r} needs {needs} beside it")
    if task.health_options:
        raise ValueError(f"the probe {probe!r} takes no health_options")
