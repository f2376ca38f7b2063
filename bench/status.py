"""What `taskmux status --json` costs, next to an interpreter that does nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from . import cpu
from .daemon import running
from .figure import Figure, at_most
from .rounds import compare
from .scale import Scale
from .shells import SLEEP

TASKS = 5


def measure(scale: Scale) -> Iterator[Figure]:
    """Yield the processor time of the command, in times that of `python -c pass`."""
    tables = "".join(f'[tasks.task{n}]\ncommand = "{SLEEP}"\n' for n in range(TASKS))
    taskmux = str(Path(sys.executable).with_name("taskmux"))
    with running(tables) as daemon:
        daemon.start()
        cost = partial(cpu.of_command, environ=daemon.environ, cwd=daemon.folder)
        found = compare(
            partial(cost, [taskmux, "status", "--json"]),
            partial(cost, [sys.executable, "-c", "pass"]),
            scale.command_rounds,
            warm=True,
        )
    yield Figure(
        subject="CPU of `taskmux status --json`, to `python -c pass`",
        value=found.ratio,
        limit=at_most(8),
        ours=f"{median(found.ours) * 1000:.0f} ms",
        bare=f"{median(found.bare) * 1000:.1f} ms",
        spread=found.spread,
    )
